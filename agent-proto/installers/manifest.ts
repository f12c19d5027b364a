import { type Static, Type } from '@sinclair/typebox';
import { closed } from '../http/common.ts';
import { compile, type Validator } from '../http/validate.ts';
import { publicKeyFromRaw, verify } from '../keys/index.ts';

export const MANIFEST_FILE = 'manifest.json';
export const SIGNATURE_FILE = 'manifest.json.sig';

/** 16 files of a few hundred bytes each. */
export const MAX_MANIFEST_BYTES = 64 * 1024;
/** Four times what the largest has. */
export const MAX_INSTALLER_BYTES = 512 * 1024 * 1024;
/** What FetchInstaller answers with at most. */
export const PIECE_BYTES = 512 * 1024;

/** As `npm run build:agent` writes it. */
const Manifest = closed({
  version: Type.String({ pattern: '^[0-9A-Za-z.+-]{1,64}$' }),
  files: Type.Array(
    closed({
      target: Type.String({ pattern: '^[a-z0-9-]{1,32}$' }),
      // No separator, so a name is never part of another path.
      file: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' }),
      bytes: Type.Integer({ minimum: 1, maximum: MAX_INSTALLER_BYTES }),
      sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    }),
    { maxItems: 16 },
  ),
});
export type InstallerManifest = Static<typeof Manifest>;
export type InstallerFile = InstallerManifest['files'][number];

let validate: Validator<InstallerManifest> | undefined;

/** `detail` names the field at fault, without a full stop. */
export function parseManifest(
  bytes: Uint8Array,
): { ok: true; manifest: InstallerManifest } | { ok: false; detail: string } {
  if (bytes.length > MAX_MANIFEST_BYTES) return { ok: false, detail: ' is too large' };
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return { ok: false, detail: ' is not JSON' };
  }
  validate ??= compile(Manifest);
  const read = validate(value);
  return read.ok ? { ok: true, manifest: read.value } : { ok: false, detail: `${read.field} ${read.detail}` };
}

/** `signature`: base64, over the bytes of the manifest. `publicKey`: raw Ed25519, base64url. Throws KEY_FORMAT for a bad key. */
export function isManifestSigned(bytes: Uint8Array, signature: string | undefined, publicKey: string): boolean {
  if (signature === undefined) return false;
  return verify(publicKeyFromRaw(publicKey), bytes, Buffer.from(signature, 'base64'));
}
