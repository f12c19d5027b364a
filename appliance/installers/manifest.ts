import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { publicKeyFromRaw, verify } from '@sitewarden/agent-proto/keys';
import { applianceErrors } from '../errors.ts';

export const MANIFEST_FILE = 'manifest.json';
export const SIGNATURE_FILE = 'manifest.json.sig';

/** As `npm run build:agent` writes it. */
const Manifest = Type.Object(
  {
    version: Type.String({ pattern: '^[0-9A-Za-z.+-]{1,64}$' }),
    files: Type.Array(
      Type.Object(
        {
          target: Type.String({ pattern: '^[a-z0-9-]{1,32}$' }),
          file: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' }),
          bytes: Type.Integer({ minimum: 1 }),
          sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
        },
        { additionalProperties: false },
      ),
      { maxItems: 16 },
    ),
  },
  { additionalProperties: false },
);
export type Manifest = Static<typeof Manifest>;

export interface ReadManifest {
  readonly manifest: Manifest;
  readonly bytes: Buffer;
  /** Base64 of the Ed25519 signature; undefined when the folder holds none. */
  readonly signature: string | undefined;
}

/**
 * Throws INSTALLERS_UNUSABLE for a folder without a whole manifest, and, where a key is given, for one that this key has
 * not signed: then the box hands out nothing that its publisher did not make.
 */
export async function readManifest(dir: string, publicKey: string | undefined): Promise<ReadManifest> {
  const bytes = await readFile(join(dir, MANIFEST_FILE)).catch((cause: NodeJS.ErrnoException) => {
    throw unusable(`${MANIFEST_FILE}: ${cause.code}`, cause);
  });
  const signature = await readFile(join(dir, SIGNATURE_FILE), 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
  if (publicKey !== undefined && !isSigned(bytes, signature, publicKey)) {
    throw unusable(`${SIGNATURE_FILE} is missing or not of installers.publicKey`);
  }
  return { manifest: parse(bytes), bytes, signature };
}

function isSigned(bytes: Buffer, signature: string | undefined, publicKey: string): boolean {
  if (signature === undefined) return false;
  return verify(publicKeyFromRaw(publicKey), bytes, Buffer.from(signature, 'base64'));
}

function parse(bytes: Buffer): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw unusable(`${MANIFEST_FILE} is not JSON`, cause);
  }
  if (Value.Check(Manifest, value)) return value;
  const first = Value.Errors(Manifest, value).First();
  throw unusable(`${MANIFEST_FILE}${first?.path ?? ''} ${first?.message ?? 'does not fit'}`);
}

const unusable = (detail: string, cause?: unknown): Error =>
  applianceErrors.make('INSTALLERS_UNUSABLE', { field: 'installers', detail, cause });
