import { type KeyObject, randomBytes } from 'node:crypto';
import { link, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RELAY_KEY_PURPOSES, type RelayKeyPurpose } from '@sitewarden/agent-proto/http';
import { generateEd25519, privateKeyFromPem } from '@sitewarden/agent-proto/keys';
import { ensureDir, readFileIfExists, writeFileAtomic } from '@sitewarden/kit/files';
import { relayErrors } from '../errors.ts';

/** Under the data folder. The root key is needed only to publish working keys and belongs offline afterwards. */
const FOLDER = 'keys';
const ROOT_FILE = 'root.pem';
const PUBLISHED_FILE = 'relay-keys.json';
/** Of the MAC on check-in tokens. Losing it costs nothing but the proof that a box is ahead of a restored database. */
const TOKEN_SECRET_FILE = 'checkin-token.secret';
const TOKEN_SECRET_BYTES = 32;

export const keyPath = (dataDir: string, file: string) => join(dataDir, FOLDER, file);
export const rootKeyPath = (dataDir: string) => keyPath(dataDir, ROOT_FILE);

export async function hasKeys(dataDir: string): Promise<boolean> {
  return (await readFileIfExists(keyPath(dataDir, PUBLISHED_FILE))) !== undefined;
}

/** Makes a fresh key, 0600 on disk before anything uses it. */
async function makeKey(dataDir: string, file: string): Promise<KeyObject> {
  const { privateKeyPem } = generateEd25519();
  await writeFileAtomic(keyPath(dataDir, file), privateKeyPem, { mode: 0o600 });
  return privateKeyFromPem(privateKeyPem);
}

export interface FreshKeys {
  readonly root: KeyObject;
  readonly working: Readonly<Record<RelayKeyPurpose, KeyObject>>;
}

/** Throws KEYS_EXIST when this folder was initialized before. */
export async function makeKeyFiles(dataDir: string): Promise<FreshKeys> {
  if (await hasKeys(dataDir)) throw relayErrors.make('KEYS_EXIST', { detail: keyPath(dataDir, PUBLISHED_FILE) });
  await ensureDir(dataDir);
  await ensureDir(join(dataDir, FOLDER));
  const root = await makeKey(dataDir, ROOT_FILE);
  const made = await Promise.all(
    RELAY_KEY_PURPOSES.map(async (purpose) => [purpose, await makeKey(dataDir, `${purpose}.pem`)] as const),
  );
  await ensureTokenSecret(dataDir);
  return { root, working: Object.fromEntries(made) as FreshKeys['working'] };
}

/** Written last: a folder with this file is complete. */
export async function writePublished(dataDir: string, text: string): Promise<void> {
  await writeFileAtomic(keyPath(dataDir, PUBLISHED_FILE), text, { mode: 0o644 });
}

/** Throws KEYS_MISSING or KEYS_INVALID. The root key is not read. */
export async function readKeyFiles(dataDir: string): Promise<{ working: FreshKeys['working']; publishedText: string }> {
  const published = await readFileIfExists(keyPath(dataDir, PUBLISHED_FILE));
  if (published === undefined) throw relayErrors.make('KEYS_MISSING', { detail: `Looked in ${join(dataDir, FOLDER)}` });
  const read = await Promise.all(
    RELAY_KEY_PURPOSES.map(async (purpose) => [purpose, await readKey(dataDir, `${purpose}.pem`)] as const),
  );
  return { working: Object.fromEntries(read) as FreshKeys['working'], publishedText: published.toString('latin1') };
}

/** The secret of check-in tokens; makes it where there is none. Throws KEYS_INVALID. */
export async function ensureTokenSecret(dataDir: string): Promise<Buffer> {
  const path = keyPath(dataDir, TOKEN_SECRET_FILE);
  if ((await readFileIfExists(path)) === undefined) await makeTokenSecret(path);
  const secret = Buffer.from((await readFileIfExists(path))?.toString('latin1').trim() ?? '', 'base64url');
  if (secret.length !== TOKEN_SECRET_BYTES) {
    throw relayErrors.make('KEYS_INVALID', { detail: `${path} cannot be read as a secret` });
  }
  return secret;
}

/** Two relays that start together on one folder must end with the same secret: the first link wins. */
async function makeTokenSecret(path: string): Promise<void> {
  const own = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFileAtomic(own, `${randomBytes(TOKEN_SECRET_BYTES).toString('base64url')}\n`, { mode: 0o600 });
  try {
    await link(own, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(own, { force: true });
  }
}

async function readKey(dataDir: string, file: string): Promise<KeyObject> {
  const pem = await readFileIfExists(keyPath(dataDir, file));
  if (pem === undefined) throw relayErrors.make('KEYS_MISSING', { detail: `There is no ${keyPath(dataDir, file)}` });
  try {
    return privateKeyFromPem(pem.toString('utf8'));
  } catch (cause) {
    throw relayErrors.make('KEYS_INVALID', { detail: `${keyPath(dataDir, file)} cannot be read as a key`, cause });
  }
}
