import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type InstallerManifest,
  isManifestSigned,
  MANIFEST_FILE,
  parseManifest,
  SIGNATURE_FILE,
} from '@sitewarden/agent-proto/installers';
import { applianceErrors } from '../errors.ts';

export { MANIFEST_FILE, SIGNATURE_FILE };
export type Manifest = InstallerManifest;

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
  if (publicKey !== undefined && !isManifestSigned(bytes, signature, publicKey)) {
    throw unusable(`${SIGNATURE_FILE} is missing or not of installers.publicKey`);
  }
  const read = parseManifest(bytes);
  if (!read.ok) throw unusable(`${MANIFEST_FILE}${read.detail}`);
  return { manifest: read.manifest, bytes, signature };
}

const unusable = (detail: string, cause?: unknown): Error =>
  applianceErrors.make('INSTALLERS_UNUSABLE', { field: 'installers', detail, cause });
