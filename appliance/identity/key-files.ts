import { join } from 'node:path';
import { readFileIfExists, writeFileAtomic } from '@sitewarden/kit/files';
import { applianceErrors } from '../errors.ts';

export interface KeyFile<T> {
  readonly dir: string;
  readonly name: string;
  /** Must throw on anything that is not the key; the content must never enter the error. */
  parse(text: string): T | Promise<T>;
  make(): string | Promise<string>;
}

/**
 * Reads a key, or makes it at first boot (0600, atomically). One that is there and cannot be read is never replaced: a
 * new key would silently make this another box.
 */
export async function loadOrMake<T>({ dir, name, parse, make }: KeyFile<T>): Promise<T> {
  const path = join(dir, name);
  const known = await readFileIfExists(path);
  const text = known === undefined ? await make() : known.toString('utf8');
  if (known === undefined) await writeFileAtomic(path, text, { mode: 0o600 });
  try {
    return await parse(text);
  } catch {
    throw applianceErrors.make('IDENTITY_DAMAGED', { detail: `${path} cannot be read as a key`, field: name });
  }
}
