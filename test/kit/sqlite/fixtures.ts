import type { Migration, SqliteDatabase } from '@sitewarden/kit/sqlite';

export const EVENT_MIGRATIONS: readonly Migration[] = [
  {
    name: '0001-events',
    up: (db) => db.exec('CREATE TABLE event (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT'),
  },
  {
    name: '0002-event-kind',
    up: (db) => {
      db.exec("ALTER TABLE event ADD COLUMN kind TEXT NOT NULL DEFAULT 'check'");
      db.exec('CREATE INDEX event_by_kind ON event (kind, id)');
    },
  },
];

export function insertEvents(db: SqliteDatabase, ids: Iterable<number>, body = 'x'): void {
  const insert = db.prepare('INSERT INTO event (id, body) VALUES (?, ?)');
  for (const id of ids) insert.run(id, body);
}

export function eventIds(db: SqliteDatabase): number[] {
  return db.prepare<[], number>('SELECT id FROM event ORDER BY id').pluck().all();
}

export function range(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}
