import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { assertDurable, isDamage, openDatabase, openOrSetAside, quickCheckWithin } from '@sitewarden/kit/sqlite';
import Database from 'better-sqlite3';
import t from 'tap';
import { seededRandom } from '../../prove/lib/random.ts';
import { copyDatabase, damageAtRandom, makeTemplate, ROWS_IN_WAL, ROWS_MOVED, replaceInFile } from './damage.ts';
import { EVENT_MIGRATIONS, eventIds, insertEvents } from './fixtures.ts';

const options = { migrations: EVENT_MIGRATIONS };

t.test('a sound database is opened as it is, with what stood in the WAL only', async (t) => {
  const path = makeTemplate(t.testdir());
  const { db, setAside } = openOrSetAside(path, options);
  t.teardown(() => db.close());
  t.equal(setAside, undefined);
  t.equal(eventIds(db).length, ROWS_MOVED + ROWS_IN_WAL);
});

t.test('what is no database is kept beside a new one', async (t) => {
  const dir = t.testdir({ 'events.db': 'not a database '.repeat(500) });
  const path = join(dir, 'events.db');
  const { db, setAside, reason } = openOrSetAside(path, options);
  t.teardown(() => db.close());
  t.match(basename(setAside!), /^events\.db\.damaged-\d{8}T\d{9}Z$/);
  t.match(reason, /not a database/);
  t.match(readFileSync(setAside!, 'utf8'), /^not a database/);
  t.strictSame(eventIds(db), []);
  insertEvents(db, [1]);
  assertDurable(db);
});

t.test('a damaged database goes aside untouched, with its WAL', async (t) => {
  const dir = t.testdir();
  const path = makeTemplate(dir);
  truncateSync(path, statSync(path).size - 20_000);
  replaceInFile(path, 'SQLite format 3', 'SQLite format 9');
  // Without the WAL's copy of the first page the damage would be healed.
  copyFileSync(`${path}-wal`, join(dir, 'wal'));
  const main = readFileSync(path);
  const wal = readFileSync(`${path}-wal`);
  const { db, setAside } = openOrSetAside(path, options);
  t.teardown(() => db.close());
  t.ok(readFileSync(setAside!).equals(main));
  t.ok(readFileSync(`${setAside}-wal`).equals(wal));
  t.strictSame(eventIds(db), []);
});

t.test('a damaged name in the schema, the list of migrations or the seal is damage, not another version', async (t) => {
  const dir = t.testdir();
  const template = join(dir, 'closed.db');
  openDatabase(template, options).close();
  for (const [from, to] of [
    ['0002-event-kind', '0002-evenu-kind'],
    ['event_by_kind', 'eventbykinds_'],
    ['"migrations":', '"migratoins":'],
    ['body TEXT NOT NULL', 'bodz TEXT NOT NULL'],
  ] as const) {
    const path = join(dir, `${to.replaceAll(/\W/g, '_')}.db`);
    copyFileSync(template, path);
    replaceInFile(path, from, to);
    t.throws(() => openDatabase(path, options), { code: /SQLITE_DAMAGED|SQLITE_CORRUPT/ }, to);
    const { db, setAside } = openOrSetAside(path, options);
    db.close();
    t.ok(setAside, to);
  }
});

t.test('another version of the program is no damage', async (t) => {
  const path = join(t.testdir(), 'a.db');
  openDatabase(path, options).close();
  t.throws(() => openOrSetAside(path, { migrations: EVENT_MIGRATIONS.slice(0, 1) }), {
    code: 'SQLITE_MIGRATIONS_CHANGED',
  });
  t.strictSame(readdirSync(join(path, '..')), ['a.db']);
});

t.test('a database that is locked or out of reach is no damage', async (t) => {
  const dir = t.testdir({ folder: {} });
  const path = join(dir, 'a.db');
  const plain = new Database(path);
  t.teardown(() => plain.close());
  plain.exec('CREATE TABLE a (x); BEGIN EXCLUSIVE');
  t.throws(() => openOrSetAside(path, { ...options, busyTimeoutMs: 20 }), { code: 'SQLITE_BUSY' });
  t.throws(() => openOrSetAside(join(dir, 'folder'), options), { code: 'SQLITE_CANTOPEN' });
  t.strictSame(
    readdirSync(dir).filter((name) => name.includes('damaged')),
    [],
  );
});

t.test('damage found behind a wrapper is still damage', async (t) => {
  const inner = Object.assign(new Error('x'), { code: 'SQLITE_CORRUPT_INDEX' });
  t.ok(isDamage(new Error('outer', { cause: inner })));
  t.notOk(isDamage(Object.assign(new Error('x'), { code: 'SQLITE_FULL' })));
  t.notOk(isDamage(undefined));
});

t.test('sixty random damages of file, WAL and shared memory never keep the program from starting', async (t) => {
  const dir = t.testdir();
  const template = makeTemplate(dir);
  let setAsides = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const path = join(dir, `seed-${seed}.db`);
    copyDatabase(template, path);
    const what = damageAtRandom(path, seededRandom(seed));
    const beganMs = performance.now();
    try {
      const { db, setAside } = openOrSetAside(path, options);
      if (setAside !== undefined) setAsides++;
      if (setAside !== undefined && !existsSync(setAside)) t.fail(`seed ${seed}: ${what}: nothing was kept`);
      insertEvents(db, [1_000_000]);
      db.close();
    } catch (error) {
      t.fail(`seed ${seed}: ${what}: ${error}`);
    }
    if (performance.now() - beganMs > 10_000) t.fail(`seed ${seed}: ${what}: too slow`);
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
  }
  t.ok(setAsides >= 10, `${setAsides} of 60 were set aside`);
});

t.test('a check in parts finds a damaged page, and begins no further table once its time is used up', async (t) => {
  const path = join(t.testdir(), 'events.db');
  const db = openDatabase(path, options);
  insertEvents(db, [1, 2, 3], 'x'.repeat(9000));
  t.strictSame(quickCheckWithin(db, 60_000), []);
  t.ok(quickCheckWithin(db, 0).includes('event'), 'what was left out is named');
  db.close();
  const bytes = readFileSync(path);
  bytes.fill(0xa5, bytes.length - 4096);
  writeFileSync(path, bytes);
  let wasWritten = false;
  const check = (fresh: Database.Database) => {
    quickCheckWithin(fresh, 60_000);
    wasWritten = true;
  };
  t.throws(() => openDatabase(path, { ...options, check }), { code: 'SQLITE_DAMAGED' });
  t.equal(wasWritten, false);
  t.equal(readFileSync(path).equals(bytes), true, 'nothing is written on top of damage');
});
