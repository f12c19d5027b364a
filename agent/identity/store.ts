import { createPrivateKey, X509Certificate } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDir, readFileIfExists, syncFolder, writeFileAtomic } from '@sitewarden/kit/files';
import { agentErrors } from '../errors.ts';

/**
 * Key, certificate and trust in one file, so that one atomic rename switches all of them: a crash between two files
 * would leave a certificate beside another key.
 */
export interface StoredIdentity {
  readonly version: 1;
  readonly agentId: string;
  readonly applianceAddress: string;
  readonly keyPem: string;
  readonly certificatePem: string;
  /** The site CA; after a change of it also the one before, which the appliance may still show. */
  readonly trustedCaPems: readonly string[];
  readonly enrolledAtMs: number;
  /** When the certificate came, on this machine's clock. */
  readonly certifiedAtMs: number;
}

export const identityDir = (dataDir: string): string => join(dataDir, 'identity');
const fileOf = (dataDir: string): string => join(identityDir(dataDir), 'identity.json');
const pendingKeyOf = (dataDir: string): string => join(identityDir(dataDir), 'pending-key.pem');

/** undefined before enrolment. Throws IDENTITY_DAMAGED. */
export async function readIdentity(dataDir: string): Promise<StoredIdentity | undefined> {
  const bytes = await readFileIfExists(fileOf(dataDir));
  if (bytes === undefined) return undefined;
  try {
    const value = JSON.parse(bytes.toString('utf8')) as StoredIdentity;
    if (value.version !== 1 || value.agentId === '' || value.trustedCaPems.length === 0) throw new Error('fields');
    const certificate = new X509Certificate(value.certificatePem);
    if (!certificate.checkPrivateKey(createPrivateKey(value.keyPem))) throw new Error('key and certificate differ');
    return value;
  } catch {
    // The parser's words can hold pieces of the file, which holds the key.
    throw agentErrors.make('IDENTITY_DAMAGED', { detail: `${fileOf(dataDir)} does not hold a whole identity` });
  }
}

export async function writeIdentity(dataDir: string, identity: StoredIdentity): Promise<void> {
  await ensureDir(join(dataDir, 'identity'), 0o700);
  await writeFileAtomic(fileOf(dataDir), `${JSON.stringify(identity)}\n`, { mode: 0o600 });
}

/** The key of an enrolment whose answer may have been lost: trying again with it lets the appliance see the same agent. */
export async function readPendingKey(dataDir: string): Promise<string | undefined> {
  const text = (await readFileIfExists(pendingKeyOf(dataDir)))?.toString('utf8');
  try {
    if (text === undefined) return undefined;
    createPrivateKey(text);
    return text;
  } catch {
    return undefined;
  }
}

export async function writePendingKey(dataDir: string, keyPem: string): Promise<void> {
  await ensureDir(join(dataDir, 'identity'), 0o700);
  await writeFileAtomic(pendingKeyOf(dataDir), keyPem, { mode: 0o600 });
}

export async function removePendingKey(dataDir: string): Promise<void> {
  await rm(pendingKeyOf(dataDir), { force: true });
  await syncFolder(join(dataDir, 'identity'));
}
