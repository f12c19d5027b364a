import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDir, readFileIfExists, syncFolder, writeFileAtomic } from '@sitewarden/kit/files';
import { applianceErrors } from '../errors.ts';
import { createTpm, TPM_FOLDER, type Tpm, type TpmBlob } from './tpm.ts';
import { isSealed, PLAIN_VAULT, type Vault } from './vault.ts';

/** auto: sealed where there is a TPM. required: no start without one. off: plain; what is sealed is written back plain. */
export type TpmMode = 'auto' | 'required' | 'off';

/** The key of the vault, as the TPM gave it out. Worth nothing on another machine. */
export const BLOB_FILE = 'kek.tpm.json';
const KEY_BYTES = 32;

export interface OpenVaultInput {
  /** The folder identity. */
  readonly dir: string;
  readonly mode: TpmMode;
  readonly tcti: string | undefined;
  /** Told why keys stay plain although that was not asked for. */
  onPlain(why: string): void;
}

/**
 * What opens the key files of this box. Where there is a TPM, a random key that only it can open seals them; the files
 * themselves are written anew by whoever reads them next. Throws TPM_NEEDED, KEYS_SEALED_ELSEWHERE, IDENTITY_DAMAGED.
 */
export async function openVault({ dir, mode, tcti, onPlain }: OpenVaultInput): Promise<Vault> {
  await ensureDir(dir, 0o700);
  for (const name of await readdir(dir)) {
    // Left by a process that was killed while it asked the TPM.
    if (name.startsWith(TPM_FOLDER)) await rm(join(dir, name), { recursive: true, force: true });
  }
  const tpm = createTpm({ tcti, dir });
  const blob = await readBlob(dir);
  const isAnySealed = await hasSealed(dir);
  if (blob !== undefined && (isAnySealed || mode !== 'off')) {
    const fault = await tpm.fault();
    if (fault !== undefined) throw applianceErrors.make('TPM_NEEDED', { detail: `The keys are sealed, and ${fault}` });
    return { key: await openBlob(tpm, blob), isSealing: mode !== 'off' };
  }
  if (isAnySealed) {
    throw applianceErrors.make('KEYS_SEALED_ELSEWHERE', { detail: `${join(dir, BLOB_FILE)} is not there` });
  }
  if (mode === 'off') return PLAIN_VAULT;
  // One that answers may still not seal: its owner has a password, or no place is left in it.
  const made = (await tpm.fault()) ?? (await makeBlob(tpm).catch(({ message }: Error) => message));
  if (typeof made !== 'string') {
    await writeFileAtomic(join(dir, BLOB_FILE), `${JSON.stringify(made.blob)}\n`, { mode: 0o600 });
    return { key: made.key, isSealing: true };
  }
  if (mode === 'required')
    throw applianceErrors.make('TPM_NEEDED', { detail: `identity.tpm is required, and ${made}` });
  onPlain(made);
  return PLAIN_VAULT;
}

/** Whether any key file in the folder is sealed; asks no TPM. */
export async function hasSealed(dir: string): Promise<boolean> {
  const names = await readdir(dir).catch(() => []);
  const texts = names
    .filter((name) => /^[a-z.-]+\.(pem|key)$/.test(name))
    .map((name) => readFile(join(dir, name), 'latin1').catch(() => ''));
  return (await Promise.all(texts)).some(isSealed);
}

async function readBlob(dir: string): Promise<TpmBlob | undefined> {
  const text = (await readFileIfExists(join(dir, BLOB_FILE)))?.toString('utf8');
  if (text === undefined) return undefined;
  try {
    const blob = JSON.parse(text) as Partial<TpmBlob>;
    if (typeof blob.public === 'string' && typeof blob.private === 'string') {
      return { public: blob.public, private: blob.private };
    }
  } catch {
    // Told below.
  }
  throw applianceErrors.make('IDENTITY_DAMAGED', { field: BLOB_FILE, detail: `${BLOB_FILE} cannot be read` });
}

async function openBlob(tpm: Tpm, blob: TpmBlob): Promise<Buffer> {
  const text = await tpm.unseal(blob).catch((cause: Error) => {
    throw applianceErrors.make('KEYS_SEALED_ELSEWHERE', { detail: cause.message, cause });
  });
  const key = Buffer.from(text, 'base64url');
  if (key.length === KEY_BYTES) return key;
  throw applianceErrors.make('IDENTITY_DAMAGED', { field: BLOB_FILE, detail: `${BLOB_FILE} holds another secret` });
}

/** Opened once before any key is trusted to it. Throws what the TPM said. */
async function makeBlob(tpm: Tpm): Promise<{ key: Buffer; blob: TpmBlob }> {
  const key = randomBytes(KEY_BYTES);
  const secret = key.toString('base64url');
  const blob = await tpm.seal(secret);
  if ((await tpm.unseal(blob)) !== secret) throw new Error('the TPM gave back another secret than it was given');
  return { key, blob };
}

/** The way back to plain files: what sealed them goes last, once nothing is sealed any more. */
export async function dropBlobIfUnused({ dir, vault }: { dir: string; vault: Vault }): Promise<void> {
  if (vault.isSealing || vault.key === undefined || (await hasSealed(dir))) return;
  await rm(join(dir, BLOB_FILE), { force: true });
  await syncFolder(dir);
}
