import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool, type ToolResult } from '@sitewarden/kit/exec';

/** What a TPM gives out for a secret: it opens under this very TPM only. */
export interface TpmBlob {
  /** TPM2B_PUBLIC and TPM2B_PRIVATE, base64. */
  readonly public: string;
  readonly private: string;
}

/** Why it did not work, as the tool said it; never holds the secret. */
export class TpmFailure extends Error {
  override readonly name = 'TpmFailure';
}

export interface Tpm {
  /** Undefined: it answers. Else why not. */
  fault(): Promise<string | undefined>;
  /** At most 128 characters. Throws TpmFailure. */
  seal(secret: string): Promise<TpmBlob>;
  /** Throws TpmFailure. */
  unseal(blob: TpmBlob): Promise<string>;
}

/** Behind the kernel's resource manager several programs can use the TPM side by side. */
export const KERNEL_TPM = '/dev/tpmrm0';
/** Beginning of the name of the short-lived folders. */
export const TPM_FOLDER = '.tpm-';
const TOOL_TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 64 * 1024;
/**
 * It opens by being asked, on this TPM. Not bound to PCRs: an update of the firmware or the kernel would lock the box out
 * of its own keys. `noda`: wrong guesses elsewhere must not lock it either.
 */
const ATTRIBUTES = 'fixedtpm|fixedparent|userwithauth|noda';

/** `dir`: where short-lived files may lie, 0700. Nothing in them is secret. */
export function createTpm({ tcti, dir }: { tcti: string | undefined; dir: string }): Tpm {
  const name = tcti ?? `device:${KERNEL_TPM}`;
  const env = { TPM2TOOLS_TCTI: name };
  const hasManager = /tpmrm|tabrmd/.test(name);

  async function run(argv: readonly [string, ...string[]], input?: string): Promise<ToolResult> {
    await flush();
    const result = await runTool(argv, {
      env,
      timeoutMs: TOOL_TIMEOUT_MS,
      maxBytes: MAX_OUTPUT_BYTES,
      ...(input === undefined ? {} : { input }),
    });
    if (!result.ok) throw new TpmFailure(wordsOf(argv[0], result));
    return result;
  }

  /** Without a resource manager what a tool loaded stays, also of one that was killed, and a TPM has three places. */
  async function flush(): Promise<void> {
    if (!hasManager) await runTool(['tpm2_flushcontext', '-t'], { env, timeoutMs: TOOL_TIMEOUT_MS });
  }

  async function withParent<T>(work: (file: (name: string) => string, parent: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(dir, TPM_FOLDER));
    const file = (one: string) => join(folder, one);
    try {
      const parent = file('parent.ctx');
      await run(['tpm2_createprimary', '-Q', '-C', 'o', '-g', 'sha256', '-G', 'ecc', '-c', parent]);
      return await work(file, parent);
    } finally {
      await flush();
      await rm(folder, { recursive: true, force: true });
    }
  }

  return {
    async fault() {
      if (tcti === undefined && !existsSync(KERNEL_TPM)) return `there is no ${KERNEL_TPM}`;
      try {
        await run(['tpm2_getcap', 'properties-fixed']);
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    },
    seal: (secret) =>
      withParent(async (file, parent) => {
        const [pub, priv] = [file('pub'), file('priv')];
        // The secret goes in by the pipe: neither argv nor a file ever holds it.
        const create = ['tpm2_create', '-Q', '-C', parent, '-a', ATTRIBUTES, '-i', '-', '-u', pub, '-r', priv] as const;
        await run(create, secret);
        const read = async (path: string) => (await readFile(path)).toString('base64');
        return { public: await read(pub), private: await read(priv) };
      }),
    unseal: (blob) =>
      withParent(async (file, parent) => {
        const [pub, priv, object] = [file('pub'), file('priv'), file('object.ctx')];
        await writeFile(pub, Buffer.from(blob.public, 'base64'), { mode: 0o600 });
        await writeFile(priv, Buffer.from(blob.private, 'base64'), { mode: 0o600 });
        await run(['tpm2_load', '-Q', '-C', parent, '-u', pub, '-r', priv, '-c', object]);
        return (await run(['tpm2_unseal', '-c', object])).stdout;
      }),
  };
}

const MAX_WORDS = 200;

function wordsOf(tool: string, { missing, timedOut, stderr }: ToolResult): string {
  if (missing) return `${tool} of tpm2-tools is not installed`;
  if (timedOut) return `${tool} did not end within ${TOOL_TIMEOUT_MS} ms`;
  const said = stderr
    .split('\n')
    .filter((line) => line.startsWith('ERROR'))
    .join(' ');
  return `${tool}: ${(said || stderr).replaceAll(/\s+/g, ' ').slice(0, MAX_WORDS)}`;
}
