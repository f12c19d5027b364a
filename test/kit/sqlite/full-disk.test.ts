import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkpointTruncate, GroupCommit, openDatabase, openOrSetAside, withTransaction } from '@sitewarden/kit/sqlite';
import t, { type Test } from 'tap';
import { EVENT_MIGRATIONS, eventIds, insertEvents } from './fixtures.ts';

/** A file system of its own that holds `sizeKiB`; undefined where we may not mount. */
function mountSmall(sizeKiB: number): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'sitewarden-full-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeKiB}k`, 'sitewarden-test', dir]);
  if (mounted.status === 0) return dir;
  rmdirSync(dir);
  return undefined;
}

const canMount = (() => {
  const dir = mountSmall(64);
  if (dir !== undefined) unmount(dir);
  return dir !== undefined;
})();
const needsMount = () => (canMount ? {} : { skip: 'a file system cannot be mounted here' });

function unmount(dir: string): void {
  spawnSync('umount', [dir]);
  rmdirSync(dir);
}

function setUp(t: Test, sizeKiB: number) {
  const dir = mountSmall(sizeKiB)!;
  const db = openDatabase(join(dir, 'events.db'), { migrations: EVENT_MIGRATIONS });
  t.teardown(() => {
    db.close();
    unmount(dir);
  });
  const fill = join(dir, 'fill');
  const fillUp = () => {
    try {
      writeFileSync(fill, Buffer.alloc(sizeKiB * 1024));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  };
  return { db, fillUp, free: () => rmSync(fill, { force: true }) };
}

t.test(
  'a disk filled by others refuses, loses nothing, and is used again once it has room',
  needsMount(),
  async (t) => {
    const { db, fillUp, free } = setUp(t, 16 * 1024);
    const group = new GroupCommit<number, number>({
      db,
      commit: (batch) => {
        insertEvents(db, batch, 'x'.repeat(2000));
        return [...batch];
      },
    });
    const acked: number[] = [];
    const codes = new Set<string>();
    let id = 0;
    for (let cycle = 0; cycle < 10; cycle++) {
      fillUp();
      for (let i = 0; i < 400; i++) {
        await group.add(id++).then(
          (stored) => acked.push(stored),
          (error) => codes.add(error.code),
        );
      }
      free();
      acked.push(await group.add(id++));
    }
    t.strictSame([...codes], ['SQLITE_FULL']);
    t.strictSame(eventIds(db), acked);
  },
);

t.test('a database on a full disk is opened again as soon as there is room, and no sooner', needsMount(), async (t) => {
  const { db, fillUp, free } = setUp(t, 4 * 1024);
  withTransaction(db, () => insertEvents(db, [1], 'x'.repeat(3000)));
  db.close();
  fillUp();
  const open = () => openDatabase(db.name, { migrations: EVENT_MIGRATIONS });
  t.throws(open, { code: 'SQLITE_NO_ROOM', status: 507, data: { neededBytes: 256 * 1024 } });
  t.throws(() => openOrSetAside(db.name, { migrations: EVENT_MIGRATIONS }), { code: 'SQLITE_NO_ROOM' });
  free();
  const again = open();
  t.strictSame(eventIds(again), [1]);
  again.close();
});

t.test('a disk filled by the WAL alone is used again without freeing anything', needsMount(), async (t) => {
  const { db } = setUp(t, 3 * 1024);
  withTransaction(db, () => insertEvents(db, [0], 'x'.repeat(3000)));
  checkpointTruncate(db);
  let refused = 0;
  for (let round = 0; round < 1500; round++) {
    try {
      withTransaction(db, () => db.prepare('UPDATE event SET body = ?').run(`${round}`.padEnd(3000)));
    } catch (error) {
      if ((error as { code?: string }).code !== 'SQLITE_FULL') throw error;
      refused++;
    }
  }
  t.ok(refused > 0 && refused < 10, `${refused} of 1500 refused`);
});
