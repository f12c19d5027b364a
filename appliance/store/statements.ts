import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import type { Statement } from 'better-sqlite3';

const cache = new WeakMap<SqliteDatabase, Map<string, Statement>>();

/** A statement compiled once per connection; the text itself is the key, so repositories keep theirs as constants. */
export function prepared<P extends unknown[] | object = unknown[], R = unknown>(
  db: SqliteDatabase,
  sql: string,
): Statement<P extends unknown[] ? P : [P], R> {
  const known = cache.get(db) ?? new Map<string, Statement>();
  if (known.size === 0) cache.set(db, known);
  const statement = known.get(sql) ?? db.prepare(sql);
  known.set(sql, statement);
  return statement as Statement<P extends unknown[] ? P : [P], R>;
}

/** JSON columns are written by this program only, so what does not parse is damage and may throw. */
export function json<T>(text: string): T {
  return JSON.parse(text) as T;
}
