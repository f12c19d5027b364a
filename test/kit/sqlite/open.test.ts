import { statSync } from 'node:fs';
import { join } from 'node:path';
import {
  assertDurable,
  assertVersion,
  checkpointTruncate,
  isVersionAtLeast,
  MIN_SQLITE_VERSION,
  openDatabase,
  type SqliteDatabase,
  withTransaction,
} from '@sitewarden/kit/sqlite';
import Database from 'better-sqlite3';
import t from 'tap';
import { EVENT_MIGRATIONS, eventIds, insertEvents, range } from './fixtures.ts';

const pragma = (db: SqliteDatabase, name: string) => db.pragma(name, { simple: true });

t.test('the bundled SQLite alone falls back to NORMAL at the first write', async (t) => {
  const db = new Database(join(t.testdir(), 'plain.db'));
  t.teardown(() => db.close());
  db.pragma('journal_mode = WAL');
  t.equal(pragma(db, 'synchronous'), 2);
  db.exec('CREATE TABLE a (x)');
  t.equal(pragma(db, 'synchronous'), 1, 'this is why FULL is set and read back after a write');
  t.throws(() => assertDurable(db), { code: 'SQLITE_NOT_DURABLE' });
});

t.test('an opened database syncs every commit and stays so', async (t) => {
  const path = join(t.testdir(), 'events.db');
  const db = openDatabase(path, { migrations: EVENT_MIGRATIONS });
  assertDurable(db);
  insertEvents(db, range(100));
  withTransaction(db, () => insertEvents(db, range(100, 100)));
  checkpointTruncate(db);
  insertEvents(db, [200]);
  t.equal(pragma(db, 'synchronous'), 2);
  t.equal(pragma(db, 'journal_mode'), 'wal');
  db.close();
  const again = openDatabase(path, { migrations: EVENT_MIGRATIONS });
  t.teardown(() => again.close());
  insertEvents(again, [201]);
  t.equal(pragma(again, 'synchronous'), 2, 'on every connection');
  t.equal(eventIds(again).length, 202);
});

t.test('foreign keys are checked, schemas are not trusted, the WAL has a limit', async (t) => {
  const db = openDatabase(join(t.testdir(), 'a.db'), { migrations: [] });
  t.teardown(() => db.close());
  t.equal(pragma(db, 'foreign_keys'), 1);
  t.equal(pragma(db, 'trusted_schema'), 0);
  t.equal(pragma(db, 'journal_size_limit'), 4 * 1024 * 1024);
});

t.test('the files are private', async (t) => {
  const path = join(t.testdir(), 'a.db');
  const db = openDatabase(path, { migrations: EVENT_MIGRATIONS });
  t.teardown(() => db.close());
  for (const suffix of ['', '-wal', '-shm']) t.equal(statSync(path + suffix).mode & 0o777, 0o600, suffix);
});

t.test('a database that cannot be durable is refused', async (t) => {
  t.throws(() => openDatabase(':memory:', { migrations: [] }), { code: 'SQLITE_NOT_DURABLE' });
  const db = openDatabase(join(t.testdir(), 'a.db'), { migrations: [] });
  t.teardown(() => db.close());
  db.pragma('synchronous = NORMAL');
  t.throws(() => assertDurable(db), { code: 'SQLITE_NOT_DURABLE', data: { synchronous: 1 } });
});

t.test('an SQLite older than the WAL-reset fix is refused', async (t) => {
  const db = new Database(':memory:');
  t.teardown(() => db.close());
  assertVersion(db);
  db.function('sqlite_version', () => '3.51.2');
  t.throws(() => assertVersion(db), { code: 'SQLITE_TOO_OLD', data: { version: '3.51.2' } });
  for (const version of ['3.51.3', '3.51.10', '3.52', '3.54.1', '4.0.0']) {
    t.ok(isVersionAtLeast(version, MIN_SQLITE_VERSION), version);
  }
  for (const version of ['3.51.2', '3.9.9', '2.99.99', '', 'x', '3', '3.51.3a']) {
    t.notOk(isVersionAtLeast(version, MIN_SQLITE_VERSION), version);
  }
});

t.test('a readonly connection reads what is there and writes nothing', async (t) => {
  const path = join(t.testdir(), 'a.db');
  const options = { migrations: EVENT_MIGRATIONS, readonly: true };
  t.throws(() => openDatabase(path, options), { code: 'SQLITE_CANTOPEN' });
  const writer = openDatabase(path, { migrations: EVENT_MIGRATIONS.slice(0, 1) });
  t.teardown(() => writer.close());
  t.throws(() => openDatabase(path, options), { code: 'SQLITE_MIGRATIONS_CHANGED', message: /0002-event-kind/ });
  insertEvents(writer, [1]);
  const reader = openDatabase(path, { migrations: EVENT_MIGRATIONS.slice(0, 1), readonly: true });
  t.teardown(() => reader.close());
  t.strictSame(eventIds(reader), [1]);
  t.throws(() => insertEvents(reader, [2]), { code: 'SQLITE_READONLY' });
});

t.test('a transaction commits its result or leaves nothing', async (t) => {
  const db = openDatabase(join(t.testdir(), 'a.db'), { migrations: EVENT_MIGRATIONS });
  t.teardown(() => db.close());
  const answer = withTransaction(db, () => {
    insertEvents(db, [1]);
    return 'done';
  });
  t.equal(answer, 'done');
  const fault = new Error('no');
  const failing = () =>
    withTransaction(db, () => {
      insertEvents(db, [2]);
      throw fault;
    });
  t.throws(failing, fault);
  t.throws(() => withTransaction(db, async () => insertEvents(db, [3])), TypeError);
  t.strictSame(eventIds(db), [1]);
  t.notOk(db.inTransaction);
});

t.test('a transaction waits for another connection and then gives up with its code', async (t) => {
  const path = join(t.testdir(), 'a.db');
  const one = openDatabase(path, { migrations: EVENT_MIGRATIONS });
  const two = openDatabase(path, { migrations: EVENT_MIGRATIONS, busyTimeoutMs: 50 });
  t.teardown(() => [one, two].map((db) => db.close()));
  one.exec('BEGIN IMMEDIATE');
  t.throws(() => withTransaction(two, () => insertEvents(two, [1])), { code: 'SQLITE_BUSY' });
  one.exec('COMMIT');
  withTransaction(two, () => insertEvents(two, [1]));
  t.strictSame(eventIds(one), [1]);
});

t.test('the WAL is moved while writing and cut on demand', async (t) => {
  const path = join(t.testdir(), 'a.db');
  const db = openDatabase(path, { migrations: EVENT_MIGRATIONS });
  t.teardown(() => db.close());
  for (const id of range(200)) withTransaction(db, () => insertEvents(db, [id], 'x'.repeat(100_000)));
  t.ok(statSync(`${path}-wal`).size < 8 * 1024 * 1024, `${statSync(`${path}-wal`).size} bytes after 20 MB`);
  t.match(checkpointTruncate(db), { isBusy: false });
  t.equal(statSync(`${path}-wal`).size, 0);
});
