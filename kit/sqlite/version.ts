import { kitErrors } from '../errors/index.ts';
import type { SqliteDatabase } from './types.ts';

/** Older ones have the WAL-reset defect that can damage a database written by two connections. */
export const MIN_SQLITE_VERSION = '3.51.3';

/** Throws SQLITE_TOO_OLD. */
export function assertVersion(db: SqliteDatabase): void {
  const version = db.prepare<[], string>('SELECT sqlite_version()').pluck().get() ?? '';
  if (!isVersionAtLeast(version, MIN_SQLITE_VERSION)) {
    throw kitErrors.make('SQLITE_TOO_OLD', {
      detail: `SQLite is ${version || 'of unknown version'}`,
      data: { version },
    });
  }
}

export function isVersionAtLeast(version: string, minimum: string): boolean {
  const has = numbers(version);
  const needs = numbers(minimum);
  if (has.length < 2) return false;
  for (let i = 0; i < needs.length; i++) {
    const difference = (has[i] ?? 0) - needs[i]!;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function numbers(version: string): number[] {
  return /^\d+(\.\d+)+$/.test(version) ? version.split('.').map(Number) : [];
}
