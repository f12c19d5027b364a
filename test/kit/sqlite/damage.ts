import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkpointTruncate, openDatabase, withTransaction } from '@sitewarden/kit/sqlite';
import { EVENT_MIGRATIONS, insertEvents, range } from './fixtures.ts';

export const ROWS_MOVED = 1500;
export const ROWS_IN_WAL = 500;
const SUFFIXES = ['', '-wal', '-shm'] as const;

/** A database as a power cut leaves it: most rows in the file, the last ones in the WAL only. */
export function makeTemplate(dir: string): string {
  const live = join(dir, 'live.db');
  const db = openDatabase(live, { migrations: EVENT_MIGRATIONS });
  withTransaction(db, () => insertEvents(db, range(ROWS_MOVED), 'moved'.repeat(30)));
  checkpointTruncate(db);
  withTransaction(db, () => insertEvents(db, range(ROWS_IN_WAL, ROWS_MOVED), 'in wal'.repeat(30)));
  const template = join(dir, 'template.db');
  for (const suffix of SUFFIXES) copyFileSync(live + suffix, template + suffix);
  db.close();
  return template;
}

export function copyDatabase(from: string, to: string): void {
  for (const suffix of SUFFIXES) copyFileSync(from + suffix, to + suffix);
}

/** Damages one of the three files in one of five ways and says how. */
export function damageAtRandom(path: string, random: () => number): string {
  const pick = (limit: number) => Math.floor(random() * limit);
  const suffix = SUFFIXES[pick(5)] ?? '';
  const bytes = readFileSync(path + suffix);
  const at = pick(bytes.length);
  const length = 1 + pick(3000);
  const kind = pick(5);
  if (kind === 0) bytes[at]! ^= 1 << pick(8);
  if (kind === 1) bytes.subarray(at, at + length).fill(0);
  if (kind === 2) for (let i = at; i < Math.min(bytes.length, at + length); i++) bytes[i] = pick(256);
  if (kind === 4) bytes.subarray(0, 1 + pick(200)).fill(pick(256));
  writeFileSync(path + suffix, kind === 3 ? bytes.subarray(0, at) : bytes);
  return `${['flip', 'zero', 'noise', 'cut', 'head'][kind]} ${suffix || 'db'} at ${at}`;
}

/** Replaces text inside the file by other text of the same length. */
export function replaceInFile(path: string, from: string, to: string): void {
  const bytes = readFileSync(path);
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + 1)) bytes.write(to, at);
  writeFileSync(path, bytes);
}
