import { compile, SecretContent } from '@sitewarden/agent-proto/http';
import { applianceErrors } from '../errors.ts';
import type { Identity } from '../identity/index.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { lazily } from '../lib/lazily.ts';
import { state } from '../store/index.ts';

const PUBLIC_KEY_BYTES = 32;
const NONCE_BYTES = 24;

/** What may be shown of a secret. `isForThisBox` false: it was sealed to a key this box does not have. */
export interface SecretName {
  readonly name: string;
  readonly setAtMs: number;
  readonly isForThisBox: boolean;
}

export interface Secrets {
  list(): SecretName[];
  /**
   * Opens one, hands its value over and forgets it. The value must not leave `work`: not in its result, nor in an error.
   * Throws SECRET_UNKNOWN, SECRET_UNREADABLE.
   */
  use<T>(name: string, work: (value: string) => T | Promise<T>): Promise<T>;
}

/** The words of a parser's error hold what it was given. */
function parsed(plain: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(plain).toString('utf8'));
  } catch {
    return undefined;
  }
}

export function createSecrets({ db }: Pick<ApplianceContext, 'db'>, seal: Identity['seal']): Secrets {
  const validate = lazily(() => compile(SecretContent));
  const sealed = () => state.siteConfig(db)?.secrets ?? [];

  function open(name: string): string {
    const config = state.siteConfig(db);
    const one = sealed().find((secret) => secret.name === name);
    if (one === undefined || config === undefined) throw applianceErrors.make('SECRET_UNKNOWN');
    const bytes = Buffer.from(one.box, 'base64url');
    const plain = seal.open({
      senderPublicKey: bytes.subarray(0, PUBLIC_KEY_BYTES),
      nonce: bytes.subarray(PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES + NONCE_BYTES),
      ciphertext: bytes.subarray(PUBLIC_KEY_BYTES + NONCE_BYTES),
    });
    if (plain === undefined) throw applianceErrors.make('SECRET_UNREADABLE');
    const content = validate()(parsed(plain));
    plain.fill(0);
    // One sealed for another place put here would be used where it does not belong.
    if (!content.ok || content.value.name !== name || content.value.siteId !== config.siteId) {
      throw applianceErrors.make('SECRET_UNREADABLE');
    }
    return content.value.value;
  }

  return {
    list: () =>
      sealed().map(({ name, setAtMs, sealedTo }) => ({ name, setAtMs, isForThisBox: sealedTo === seal.publicKey })),
    async use(name, work) {
      return work(open(name));
    },
  };
}
