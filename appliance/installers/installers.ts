import { createHash } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { applianceErrors } from '../errors.ts';
import { type Manifest, readManifest } from './manifest.ts';

export type Installer = Manifest['files'][number];

export interface InstallerSet {
  readonly version: string;
  readonly files: readonly Installer[];
  readonly manifest: Buffer;
  /** Base64; undefined: nobody signed them. */
  readonly signature: string | undefined;
  /** The signature is of the key this box is configured with. */
  readonly isVerified: boolean;
}

export interface Installers {
  /** Undefined when this box has no folder of installers. Throws INSTALLERS_UNUSABLE. */
  read(): Promise<InstallerSet | undefined>;
  /** Bytes that have the digest of the manifest. Throws LOCAL_NOT_FOUND, INSTALLERS_UNUSABLE. */
  openFile(name: string): Promise<{ readonly installer: Installer; readonly stream: ReadStream }>;
}

export interface InstallersConfig {
  readonly dir?: string | undefined;
  /** Raw Ed25519, base64url. */
  readonly publicKey?: string | undefined;
}

/** The folder is read at each request: a new version is copied into it while the box runs. */
export function createInstallers({ dir, publicKey }: InstallersConfig): Installers {
  /** What was digested once and did not change since. */
  const known = new Map<string, string>();

  const read: Installers['read'] = async () => {
    if (dir === undefined) return undefined;
    const { manifest, bytes, signature } = await readManifest(dir, publicKey);
    return { ...manifest, manifest: bytes, signature, isVerified: publicKey !== undefined };
  };

  return {
    read,
    async openFile(name) {
      // Only names of the manifest, which hold no separator, ever become part of a path.
      const installer = (await read())?.files.find(({ file }) => file === name);
      if (dir === undefined || installer === undefined) throw applianceErrors.make('LOCAL_NOT_FOUND');
      const path = join(dir, installer.file);
      const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
        throw unusable(`${installer.file}: ${cause.code}`, cause);
      });
      try {
        // The handle that was digested is the one that is sent.
        if ((await digestOf(file, path, known)) !== installer.sha256) {
          throw unusable(`${installer.file} has not the SHA-256 of the manifest`);
        }
        return { installer, stream: file.createReadStream({ start: 0 }) };
      } catch (error) {
        await file.close();
        throw error;
      }
    },
  };
}

async function digestOf(file: FileHandle, path: string, known: Map<string, string>): Promise<string> {
  const { size, mtimeNs, ctimeNs, ino } = await file.stat({ bigint: true });
  const version = `${path}|${size}|${mtimeNs}|${ctimeNs}|${ino}`;
  const before = known.get(version);
  if (before !== undefined) return before;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream('', { fd: file, start: 0, autoClose: false }))
    hash.update(chunk as Buffer);
  const digest = hash.digest('hex');
  known.clear();
  known.set(version, digest);
  return digest;
}

const unusable = (detail: string, cause?: unknown): Error =>
  applianceErrors.make('INSTALLERS_UNUSABLE', { field: 'installers', detail, cause });
