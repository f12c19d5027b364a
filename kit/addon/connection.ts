import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { kitErrors } from '../errors/index.ts';
import { unpackAddon } from './unpack.ts';

let readBundled: (() => Uint8Array) | undefined;
let loaded: object | undefined;

/**
 * For a program that is one file: the machine code of better-sqlite3 comes out of it, because no system loads a library
 * from inside another file. Called once, before the first connection; `read` is called at that connection.
 */
export function useBundledAddon(read: () => Uint8Array): void {
  readBundled = read;
}

/** Every connection of a program is made here. Throws better-sqlite3's errors and, in a one-file program, ADDON_UNUSABLE. */
export function openConnection(path: string, options: Database.Options): Database.Database {
  if (readBundled === undefined) return new Database(path, options);
  loaded ??= load(readBundled, dirname(path));
  // The types know only the path of an addon; the library takes the addon itself as well.
  return new Database(path, { ...options, nativeBinding: loaded as unknown as string });
}

/** Beside the database: that folder is private already, and lasts, so that the file is written once and not at every start. */
function load(read: () => Uint8Array, folder: string): object {
  const path = unpackAddon(read(), join(folder, 'native'));
  const module = { exports: {} };
  try {
    process.dlopen(module, path, constants.dlopen?.RTLD_NOW ?? 0);
  } catch (cause) {
    throw kitErrors.make('ADDON_UNUSABLE', { detail: `${path}: ${(cause as Error).message}`, cause });
  }
  return module.exports;
}
