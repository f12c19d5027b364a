import { type KeyObject, randomBytes } from 'node:crypto';
import { link, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RELAY_KEY_PURPOSES, type RelayKeyPurpose, type RelayKeys } from '@sitewarden/agent-proto/http';
import { generateEd25519, privateKeyFromPem } from '@sitewarden/agent-proto/keys';
import { ensureDir, readFileIfExists, syncFolder, writeFileAtomic } from '@sitewarden/kit/files';
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

/** Written last: a folder with this file is complete. What it takes the place of is kept beside: it proves which keys were in use. */
export async function writePublished(
  dataDir: string,
  { text, before, published }: { text: string; before?: string; published?: Pick<RelayKeys, 'generation'> },
): Promise<void> {
  if (before !== undefined && published !== undefined) {
    await writeFileAtomic(keyPath(dataDir, `relay-keys-${published.generation}.json`), before, { mode: 0o644 });
  }
  await writeFileAtomic(keyPath(dataDir, PUBLISHED_FILE), text, { mode: 0o644 });
}

/** The lists that were published before the present one, oldest first. */
export async function readFormerlyPublished(dataDir: string): Promise<string[]> {
  const numberOf = (name: string) => Number(/^relay-keys-(\d+)\.json$/.exec(name)?.[1] ?? Number.NaN);
  const names = (await readdir(join(dataDir, FOLDER))).filter((name) => Number.isSafeInteger(numberOf(name)));
  names.sort((a, b) => numberOf(a) - numberOf(b));
  return Promise.all(names.map((name) => readFile(keyPath(dataDir, name), 'latin1')));
}

/** Both files a key may be in: `<purpose>.pem`, and while keys change `<purpose>.next.pem`. */
export interface KeySlots {
  readonly keys: Readonly<Record<RelayKeyPurpose, { readonly first: KeyObject; readonly next: KeyObject | undefined }>>;
  readonly publishedText: string;
}

const nextFile = (purpose: RelayKeyPurpose): string => `${purpose}.next.pem`;

export async function makeNextFiles(dataDir: string): Promise<FreshKeys['working']> {
  const made = await Promise.all(
    RELAY_KEY_PURPOSES.map(async (purpose) => [purpose, await makeKey(dataDir, nextFile(purpose))] as const),
  );
  return Object.fromEntries(made) as FreshKeys['working'];
}

/** The next files take the place of the first ones; each is found under either name meanwhile. */
export async function promoteNextFiles(dataDir: string): Promise<void> {
  for (const purpose of RELAY_KEY_PURPOSES) {
    const next = keyPath(dataDir, nextFile(purpose));
    if ((await readFileIfExists(next)) !== undefined) await rename(next, keyPath(dataDir, `${purpose}.pem`));
  }
  await syncFolder(join(dataDir, FOLDER));
}

/** Throws ROOT_KEY_NEEDED. */
export async function readRootKey(dataDir: string, file: string | undefined): Promise<KeyObject> {
  const path = file ?? rootKeyPath(dataDir);
  const pem = await readFileIfExists(path);
  if (pem === undefined) throw relayErrors.make('ROOT_KEY_NEEDED', { detail: `There is no ${path}` });
  try {
    return privateKeyFromPem(pem.toString('utf8'));
  } catch (cause) {
    throw relayErrors.make('ROOT_KEY_NEEDED', { detail: `${path} cannot be read as a key`, cause });
  }
}

/** Throws KEYS_MISSING or KEYS_INVALID. The root key is not read. */
export async function readKeySlots(dataDir: string): Promise<KeySlots> {
  const published = await readFileIfExists(keyPath(dataDir, PUBLISHED_FILE));
  if (published === undefined) throw relayErrors.make('KEYS_MISSING', { detail: `Looked in ${join(dataDir, FOLDER)}` });
  const read = await Promise.all(
    RELAY_KEY_PURPOSES.map(async (purpose) => {
      const isThere = (await readFileIfExists(keyPath(dataDir, nextFile(purpose)))) !== undefined;
      const next = isThere ? await readKey(dataDir, nextFile(purpose)) : undefined;
      return [purpose, { first: await readKey(dataDir, `${purpose}.pem`), next }] as const;
    }),
  );
  return { keys: Object.fromEntries(read) as KeySlots['keys'], publishedText: published.toString('latin1') };
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
