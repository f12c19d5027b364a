import { createHash } from 'node:crypto';
import { kitErrors } from '../errors/index.ts';
import type { SqliteDatabase } from './types.ts';

const KEY = 'schema_seal';

/**
 * Pages carry no checksum, so one flipped byte in a table's name or in a migration's name reads as a valid database of
 * another program and would be refused for good. The seal tells the two apart: what was applied, and the digest of every
 * object the migrations made. Objects added by hand are tolerated, changed or missing ones are damage.
 */
export function rememberSchema(db: SqliteDatabase): void {
  db.prepare(
    'INSERT INTO kit_meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  ).run(KEY, JSON.stringify({ objects: schemaObjects(db), migrations: migrationDigest(db) }));
}

/** Throws SQLITE_DAMAGED when the schema is not the one remembered. A database without a seal passes. */
export function assertSchema(db: SqliteDatabase): void {
  const hasMeta = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'kit_meta'").get();
  if (hasMeta === undefined) return;
  const text = db.prepare<[string], string>('SELECT value FROM kit_meta WHERE key = ?').pluck().get(KEY);
  if (text === undefined) return;
  const sealed = parseSeal(text);
  const now = schemaObjects(db);
  for (const [name, digest] of Object.entries(sealed.objects)) {
    if (now[name] !== digest) throw damaged(`the definition of ${name} changed`);
  }
  if (migrationDigest(db) !== sealed.migrations) throw damaged('the list of migrations changed');
}

interface Seal {
  objects: Record<string, string>;
  migrations: string;
}

function parseSeal(text: string): Seal {
  try {
    const seal = JSON.parse(text) as Partial<Seal>;
    if (typeof seal.objects === 'object' && seal.objects !== null && typeof seal.migrations === 'string') {
      return seal as Seal;
    }
  } catch {
    // Not JSON any more: the same verdict as a seal of another shape.
  }
  throw damaged('the schema seal is unreadable');
}

function schemaObjects(db: SqliteDatabase): Record<string, string> {
  const rows = db
    .prepare<[], { type: string; name: string; sql: string }>(
      "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )
    .all();
  return Object.fromEntries(rows.map((row) => [`${row.type} ${row.name}`, digest(row.sql)]));
}

function migrationDigest(db: SqliteDatabase): string {
  return digest(JSON.stringify(db.prepare('SELECT position, name FROM migration ORDER BY position').raw().all()));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

function damaged(detail: string): Error {
  return kitErrors.make('SQLITE_DAMAGED', { detail: `In the database ${detail}` });
}
