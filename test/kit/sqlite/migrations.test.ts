import { join } from 'node:path';
import { appliedMigrations, type Migration, openDatabase } from '@sitewarden/kit/sqlite';
import t from 'tap';
import { ended, spawnScript } from '../children/spawn.ts';
import { EVENT_MIGRATIONS, eventIds, range } from './fixtures.ts';

const third: Migration = { name: '0003-more', up: (db) => db.exec('CREATE TABLE more (x INTEGER) STRICT') };

function reopen(path: string, migrations: readonly Migration[]): void {
  openDatabase(path, { migrations }).close();
}

t.test('migrations run once, in order, and are recorded with their names', async (t) => {
  const path = join(t.testdir(), 'a.db');
  let runs = 0;
  const counted = EVENT_MIGRATIONS.map(({ name, up }) => ({
    name,
    up: (db: Parameters<typeof up>[0]) => {
      runs++;
      up(db);
    },
  }));
  reopen(path, counted.slice(0, 1));
  reopen(path, counted);
  const db = openDatabase(path, { migrations: counted });
  t.teardown(() => db.close());
  t.equal(runs, 2);
  t.strictSame(appliedMigrations(db), ['0001-events', '0002-event-kind']);
  const rows = db.prepare('SELECT position, applied_at FROM migration ORDER BY position').all();
  t.match(rows, [
    { position: 1, applied_at: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/ },
    { position: 2, applied_at: /Z$/ },
  ]);
});

t.test('a failing migration leaves nothing of itself and all before it', async (t) => {
  const path = join(t.testdir(), 'a.db');
  const failing: Migration = {
    name: '0003-broken',
    up: (db) => {
      db.exec('CREATE TABLE half (x) STRICT; ');
    },
  };
  t.throws(() => reopen(path, [...EVENT_MIGRATIONS, failing]), {
    code: 'SQLITE_MIGRATION_FAILED',
    message: /0003-broken failed: missing datatype/,
    data: { name: '0003-broken' },
  });
  const db = openDatabase(path, { migrations: [...EVENT_MIGRATIONS, third] });
  t.teardown(() => db.close());
  t.strictSame(appliedMigrations(db), ['0001-events', '0002-event-kind', '0003-more']);
});

t.test('a migration that was renamed, removed or is unknown is refused before anything runs', async (t) => {
  const path = join(t.testdir(), 'a.db');
  reopen(path, EVENT_MIGRATIONS);
  const renamed = EVENT_MIGRATIONS.map((one, i) => (i === 0 ? { ...one, name: '0001-things' } : one));
  const changed = { code: 'SQLITE_MIGRATIONS_CHANGED', message: /Run that version, or a newer one/ };
  t.throws(() => reopen(path, [...renamed, third]), { ...changed, data: { position: 1 } });
  t.throws(() => reopen(path, EVENT_MIGRATIONS.slice(0, 1)), { ...changed, data: { position: 2 } });
  t.throws(() => reopen(path, []), changed);
  const db = openDatabase(path, { migrations: EVENT_MIGRATIONS });
  t.teardown(() => db.close());
  t.strictSame(appliedMigrations(db), ['0001-events', '0002-event-kind']);
});

t.test('names out of step with their place are a mistake of the program', async (t) => {
  const path = join(t.testdir(), 'a.db');
  for (const name of ['0002-first', 'first', '0001', '0001-', '1-first', '0001-First', '0001 first']) {
    t.throws(() => reopen(path, [{ name, up() {} }]), TypeError, name);
  }
});

t.test('processes that open a new database at the same time all get it whole', async (t) => {
  const path = join(t.testdir(), 'a.db');
  const children = range(4).map(() => spawnScript('open-database.ts', [path]));
  t.strictSame(await Promise.all(children.map(ended)), [0, 0, 0, 0]);
  const db = openDatabase(path, { migrations: EVENT_MIGRATIONS });
  t.teardown(() => db.close());
  t.strictSame(appliedMigrations(db), ['0001-events', '0002-event-kind']);
  t.equal(eventIds(db).length, 4, 'each stored its row');
});

t.test('objects added by hand are tolerated, a changed definition is damage', async (t) => {
  const path = join(t.testdir(), 'a.db');
  const db = openDatabase(path, { migrations: EVENT_MIGRATIONS });
  db.exec('CREATE INDEX by_hand ON event (body); ANALYZE');
  db.close();
  reopen(path, EVENT_MIGRATIONS);
  const hand = openDatabase(path, { migrations: EVENT_MIGRATIONS });
  hand.exec('DROP INDEX event_by_kind');
  hand.close();
  t.throws(() => reopen(path, EVENT_MIGRATIONS), { code: 'SQLITE_DAMAGED', message: /event_by_kind/ });
});
