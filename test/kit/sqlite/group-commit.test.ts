import { join } from 'node:path';
import { GroupCommit, type GroupCommitOptions, openDatabase } from '@sitewarden/kit/sqlite';
import t, { type Test } from 'tap';
import { EVENT_MIGRATIONS, eventIds, insertEvents, range } from './fixtures.ts';

type Options = Partial<GroupCommitOptions<number, string>>;

function setUp(t: Test, options: Options = {}) {
  const path = join(t.testdir(), 'events.db');
  const db = openDatabase(path, { migrations: EVENT_MIGRATIONS });
  const other = openDatabase(path, { migrations: EVENT_MIGRATIONS, readonly: true });
  t.teardown(() => [db, other].map((one) => one.close()));
  const batches: number[][] = [];
  const commit = (batch: readonly number[]) => {
    batches.push([...batch]);
    insertEvents(db, batch);
    return batch.map((id) => `stored ${id}`);
  };
  const group = new GroupCommit<number, string>({ db, commit, ...options });
  return { db, other, batches, group };
}

t.test('an item is on disk when its promise resolves, with its own result', async (t) => {
  const { group, other } = setUp(t);
  t.equal(await group.add(7), 'stored 7');
  t.strictSame(eventIds(other), [7], 'seen by another connection');
  const results = await Promise.all(range(5).map((id) => group.add(id)));
  t.strictSame(results, ['stored 0', 'stored 1', 'stored 2', 'stored 3', 'stored 4']);
});

t.test('nothing is resolved before COMMIT', async (t) => {
  const seen: number[][] = [];
  const { group, other, db } = setUp(t, {
    commit: (batch) => {
      insertEvents(db, batch);
      seen.push(eventIds(other));
      return batch.map(String);
    },
  });
  await Promise.all([group.add(1), group.add(2)]);
  t.strictSame(seen, [[]], 'the other connection saw nothing while the batch was written');
});

t.test('batches hold at most maxBatch items, in order', async (t) => {
  const { group, batches } = setUp(t);
  await Promise.all(range(250).map((id) => group.add(id)));
  t.strictSame(
    batches.map((batch) => batch.length),
    [100, 100, 50],
  );
  t.strictSame(batches.flat(), range(250));
});

t.test('a lone item on an idle loop does not wait for the delay', async (t) => {
  const { group } = setUp(t, { maxDelayMs: 60_000 });
  await group.add(1);
  t.pass('long before a minute');
});

t.test('items of following turns of the loop share a transaction', async (t) => {
  const { group, batches } = setUp(t, { maxDelayMs: 60_000 });
  const added: Promise<string>[] = [];
  for (const id of range(20)) {
    added.push(group.add(id));
    await new Promise(setImmediate);
  }
  await Promise.all(added);
  t.ok(batches.length <= 4, `${batches.length} batches for 20 items`);
});

t.test('a steady stream is not held back beyond the delay', async (t) => {
  const { group } = setUp(t, { maxDelayMs: 5, maxBatch: 1_000_000, maxQueue: 1_000_000 });
  let isFirstDone = false;
  let added = 0;
  const rest: Promise<unknown>[] = [];
  const first = group.add(added++).then(() => {
    isFirstDone = true;
  });
  const until = performance.now() + 5000;
  while (!isFirstDone && performance.now() < until) {
    rest.push(group.add(added++));
    await new Promise(setImmediate);
  }
  t.ok(isFirstDone);
  await Promise.all([first, ...rest]);
});

t.test('a failed commit rejects its batch, is told once, leaves nothing and stops nothing', async (t) => {
  const told: unknown[] = [];
  const { group, other } = setUp(t, { onError: (error, batch) => void told.push({ error, batch }) });
  await group.add(1);
  const results = await Promise.allSettled([group.add(2), group.add(1), group.add(3)]);
  t.match(results, Array(3).fill({ status: 'rejected', reason: { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' } }));
  t.match(told, [{ batch: { size: 3, needsReopen: false } }]);
  t.strictSame(eventIds(other), [1]);
  t.equal(await group.add(4), 'stored 4');
});

t.test('an answer of the wrong length is a fault and nothing is stored', async (t) => {
  const { group, other, db } = setUp(t, {
    commit: (batch) => {
      insertEvents(db, batch);
      return [];
    },
  });
  await t.rejects(group.add(1), TypeError);
  t.strictSame(eventIds(other), []);
});

t.test('a full queue refuses more and goes on with what it has', async (t) => {
  const { group, other } = setUp(t, { maxQueue: 3 });
  const accepted = range(3).map((id) => group.add(id));
  await t.rejects(group.add(3), { code: 'QUEUE_FULL', data: { waiting: 3, limit: 3 } });
  t.equal(group.size, 3);
  await Promise.all(accepted);
  await group.add(4);
  t.strictSame(eventIds(other), [0, 1, 2, 4]);
});

t.test('closing stores what waits and refuses what comes', async (t) => {
  const { group, other } = setUp(t);
  const accepted = range(150).map((id) => group.add(id));
  group.close();
  t.equal(eventIds(other).length, 150, 'already, without a turn of the loop');
  await Promise.all(accepted);
  await t.rejects(group.add(999), { code: 'QUEUE_CLOSED' });
});

t.test('a run of items is stored in one transaction or not at all', async (t) => {
  const { group, batches, other } = setUp(t, { maxBatch: 10 });
  const single = group.add(1000);
  t.strictSame(
    await group.addAll(range(25)),
    range(25).map((id) => `stored ${id}`),
  );
  t.equal(await single, 'stored 1000');
  t.strictSame(
    batches.map((batch) => batch.length),
    [1, 25],
  );
  await t.rejects(group.addAll([500, 501, 1000]), { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' });
  t.notOk(eventIds(other).includes(500));
  t.strictSame(await group.addAll([]), []);
  const mixed = await Promise.all([group.add(30), group.addAll([31, 32]), group.add(33)]);
  t.strictSame(mixed, ['stored 30', ['stored 31', 'stored 32'], 'stored 33']);
});

t.test('a full disk refuses, and the same connection goes on once there is room', async (t) => {
  const told: unknown[] = [];
  const { group, db } = setUp(t, {
    commit: (batch) => {
      insertEvents(db, batch, 'x'.repeat(50_000));
      return batch.map(String);
    },
    onError: (_error, batch) => void told.push(batch),
  });
  const pages = db.pragma('page_count', { simple: true });
  db.pragma(`max_page_count = ${pages}`);
  await t.rejects(group.add(1), { code: 'SQLITE_FULL' });
  t.strictSame(told, [{ size: 1, needsReopen: false }]);
  db.pragma('max_page_count = 1000000');
  t.equal(await group.add(1), '1');
});

t.test('a locked database refuses the batch and the next one is written', async (t) => {
  const { group, db, other } = setUp(t);
  db.pragma('busy_timeout = 20');
  const blocker = openDatabase(db.name, { migrations: EVENT_MIGRATIONS });
  t.teardown(() => blocker.close());
  blocker.exec('BEGIN IMMEDIATE');
  await t.rejects(group.add(1), { code: 'SQLITE_BUSY' });
  blocker.exec('COMMIT');
  await group.add(2);
  t.strictSame(eventIds(other), [2]);
});
