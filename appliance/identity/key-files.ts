import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfExists, syncFolder, writeFileAtomic } from '@sitewarden/kit/files';
import { applianceErrors } from '../errors.ts';
import { fromStored, isAsWanted, toStored, type Vault } from './vault.ts';

/** Where the keys are, and what seals them. */
export interface KeyFolder {
  readonly dir: string;
  readonly vault: Vault;
}

export interface KeyFile<T> extends KeyFolder {
  readonly name: string;
  /** Must throw on anything that is not the key; the content must never enter the error. */
  parse(text: string): T | Promise<T>;
  make(): string | Promise<string>;
}

/**
 * Reads a key, or makes it at first boot (0600, atomically). One that is there and cannot be read is never replaced: a
 * new key would silently make this another box. One that is not sealed as it should be is written anew, also atomically.
 */
export async function loadOrMake<T>({ parse, make, ...file }: KeyFile<T>): Promise<T> {
  const { dir, name, vault } = file;
  const known = await readKeyText(file);
  const text = known ?? (await make());
  if (known === undefined) await writeKeyText(file, text);
  try {
    return await parse(text);
  } catch {
    throw damaged(join(dir, name), vault);
  }
}

/** The text of a key file, undefined when there is none. Throws IDENTITY_DAMAGED. */
export async function readKeyText(file: KeyFolder & { name: string; of?: string }): Promise<string | undefined> {
  const { dir, name, vault, of = name } = file;
  const path = join(dir, name);
  const stored = (await readFileIfExists(path))?.toString('utf8');
  if (stored === undefined) return undefined;
  let text: string;
  try {
    text = fromStored(of, stored, vault);
  } catch {
    throw damaged(path, vault);
  }
  if (!isAsWanted(stored, vault)) await writeKeyText(file, text);
  return text;
}

export async function writeKeyText(file: KeyFolder & { name: string; of?: string }, text: string): Promise<void> {
  const { dir, name, vault, of = name } = file;
  await writeFileAtomic(join(dir, name), toStored(of, text, vault), { mode: 0o600 });
}

const nextName = (name: string): string => name.replace('.pem', '.next.pem');

/** The key that is to follow the one in `name`; made when there is none yet. */
export function loadOrMakeNext<T>(file: KeyFile<T>): Promise<T> {
  return loadNextWith(file, file.make) as Promise<T>;
}

/** The same, where it must have been made before; undefined when it was not. */
export const loadNext = <T>(file: Omit<KeyFile<T>, 'make'>): Promise<T | undefined> => loadNextWith(file, undefined);

async function loadNextWith<T>(
  { parse, dir, vault, name }: Omit<KeyFile<T>, 'make'>,
  make: KeyFile<T>['make'] | undefined,
): Promise<T | undefined> {
  // Sealed under the name it will have.
  const file = { dir, vault, name: nextName(name), of: name };
  let text = await readKeyText(file);
  if (text === undefined) {
    if (make === undefined) return undefined;
    text = await make();
    await writeKeyText(file, text);
  }
  try {
    return await parse(text);
  } catch {
    throw damaged(join(dir, file.name), vault);
  }
}

/** The next key takes the place of the one in `name`: one rename, durable when this resolves. */
export async function putNextInForce(dir: string, name: string): Promise<void> {
  await rename(join(dir, nextName(name)), join(dir, name));
  await syncFolder(dir);
}

export async function dropNext(dir: string, name: string): Promise<void> {
  await rm(join(dir, nextName(name)), { force: true });
}

function damaged(path: string, { key }: Vault) {
  const how = key === undefined ? 'cannot be read as a key' : 'cannot be read as a key, or was sealed elsewhere';
  return applianceErrors.make('IDENTITY_DAMAGED', { detail: `${path} ${how}`, field: path.split('/').at(-1) });
}
