import { createHash } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { PIECE_BYTES } from '@sitewarden/agent-proto/installers';
import { applianceErrors } from '../errors.ts';
import { MANIFEST_FILE, type Manifest, readManifest, SIGNATURE_FILE } from './manifest.ts';

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
  /**
   * At most PIECE_BYTES from `offset` on, of a file of the manifest, of itself or of its signature. Throws
   * INSTALLER_UNKNOWN, INSTALLERS_UNUSABLE.
   */
  readPiece(name: string, offset: number): Promise<Piece>;
}

export interface Piece {
  readonly data: Buffer;
  readonly totalBytes: number;
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

  /** The handle that was digested is the one that is sent; whoever takes it closes it. */
  async function openWhole(folder: string, installer: Installer): Promise<FileHandle> {
    const path = join(folder, installer.file);
    const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
      throw unusable(`${installer.file}: ${cause.code}`, cause);
    });
    try {
      if ((await digestOf(file, path, known)) === installer.sha256) return file;
      throw unusable(`${installer.file} has not the SHA-256 of the manifest`);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  return {
    read,
    async openFile(name) {
      // Only names of the manifest, which hold no separator, ever become part of a path.
      const installer = (await read())?.files.find(({ file }) => file === name);
      if (dir === undefined || installer === undefined) throw applianceErrors.make('LOCAL_NOT_FOUND');
      return { installer, stream: (await openWhole(dir, installer)).createReadStream({ start: 0 }) };
    },
    async readPiece(name, offset) {
      const set = await read();
      const ofBytes = (bytes: Buffer): Piece => ({
        data: bytes.subarray(offset, offset + PIECE_BYTES),
        totalBytes: bytes.length,
      });
      if (dir === undefined || set === undefined) throw applianceErrors.make('INSTALLER_UNKNOWN');
      if (name === MANIFEST_FILE) return ofBytes(set.manifest);
      if (name === SIGNATURE_FILE && set.signature !== undefined) return ofBytes(Buffer.from(set.signature));
      const installer = set.files.find(({ file }) => file === name);
      if (installer === undefined) throw applianceErrors.make('INSTALLER_UNKNOWN');
      const file = await openWhole(dir, installer);
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(PIECE_BYTES), 0, PIECE_BYTES, offset);
        return { data: buffer.subarray(0, bytesRead), totalBytes: installer.bytes };
      } finally {
        await file.close();
      }
    },
  };
}

/** Workstations of several systems fetch at once, a piece of each by turns. */
const KNOWN_DIGESTS = 16;

async function digestOf(file: FileHandle, path: string, known: Map<string, string>): Promise<string> {
  const { size, mtimeNs, ctimeNs, ino } = await file.stat({ bigint: true });
  const version = `${path}|${size}|${mtimeNs}|${ctimeNs}|${ino}`;
  const before = known.get(version);
  if (before !== undefined) return before;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream('', { fd: file, start: 0, autoClose: false }))
    hash.update(chunk as Buffer);
  const digest = hash.digest('hex');
  if (known.size >= KNOWN_DIGESTS) known.clear();
  known.set(version, digest);
  return digest;
}

const unusable = (detail: string, cause?: unknown): Error =>
  applianceErrors.make('INSTALLERS_UNUSABLE', { field: 'installers', detail, cause });
