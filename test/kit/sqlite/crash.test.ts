import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '@sitewarden/kit/sqlite';
import t from 'tap';
import { ended, linesOf, spawnScript } from '../children/spawn.ts';
import { EVENT_MIGRATIONS, eventIds, range } from './fixtures.ts';

const hasStrace = spawnSync('strace', ['-V']).status === 0;
const needsStrace = () => (hasStrace ? {} : { skip: 'strace is not installed' });

interface Outcome {
  acked: number[];
  lines: string[];
  end: NodeJS.Signals | number | null;
}

async function write(job: Record<string, unknown>, before: string[] = []): Promise<Outcome> {
  const child = spawnScript('write-events.ts', [JSON.stringify({ bodyBytes: 400, from: 0, ...job })], before);
  const lines: string[] = [];
  const end = ended(child);
  for await (const line of linesOf(child)) lines.push(line);
  const acked = lines.filter((line) => line.startsWith('ack ')).map((line) => Number(line.slice(4)));
  return { acked, lines, end: await end };
}

function stored(path: string): Set<number> {
  const db = openDatabase(path, { migrations: EVENT_MIGRATIONS });
  const ids = eventIds(db);
  db.close();
  return new Set(ids);
}

const lost = (acked: readonly number[], path: string) => {
  const have = stored(path);
  return acked.filter((id) => !have.has(id));
};

t.test('a kill inside a transaction loses nothing acknowledged, again and again on one file', async (t) => {
  const path = join(t.testdir(), 'events.db');
  const acked: number[] = [];
  for (const round of range(5)) {
    const isConcurrent = round % 2 === 0;
    const outcome = await write({ path, from: round * 1000, count: 1000, isConcurrent, dieInBatch: 3 + round });
    t.equal(outcome.end, 'SIGKILL');
    t.ok(outcome.acked.length > 0 && outcome.acked.length < 1000, `${outcome.acked.length} acknowledged`);
    acked.push(...outcome.acked);
  }
  t.strictSame(lost(acked, path), []);
});

t.test('control: a writer that acknowledges before COMMIT does lose some', async (t) => {
  const path = join(t.testdir(), 'events.db');
  const { acked } = await write({ path, count: 1000, isConcurrent: true, dieInBatch: 3, ackEarly: true });
  t.ok(lost(acked, path).length > 0);
});

t.test('every acknowledgement has its sync', needsStrace(), async (t) => {
  const dir = t.testdir();
  const trace = join(dir, 'trace');
  const strace = ['strace', '-f', '-qq', '-y', '-e', 'trace=fsync,fdatasync,write', '-s', '12', '-o', trace];
  const { acked } = await write({ path: join(dir, 'events.db'), count: 20, isConcurrent: false }, strace);
  t.equal(acked.length, 20);
  let syncs = 0;
  for (const line of readFileSync(trace, 'utf8').split('\n')) {
    if (/f(data)?sync\(\d+<[^>]*events\.db-wal>\)\s+= 0/.test(line)) syncs++;
    if (!line.includes('"ack ')) continue;
    if (syncs === 0) t.fail(`acknowledged without a sync: ${line}`);
    syncs = 0;
  }
});

/** Fails one sync of the main thread, every later one works: the trap, for the lost pages then look clean. */
const failSync = (n: number) => [
  'strace',
  '-f',
  '-qq',
  '-e',
  'trace=fsync,fdatasync',
  '-e',
  `inject=fsync,fdatasync:error=EIO:when=${n}`,
  '-o',
  '/dev/null',
];

t.test('after one failed sync nothing is acknowledged any more', needsStrace(), async (t) => {
  const dir = t.testdir();
  for (const n of [20, 25, 33]) {
    const path = join(dir, `events-${n}.db`);
    const { acked, lines, end } = await write({ path, count: 60, isConcurrent: false }, failSync(n));
    t.equal(end, 0);
    const firstRefusal = lines.findIndex((line) => line.startsWith('refused SQLITE_IOERR'));
    t.ok(firstRefusal > 0, `a refusal after ${acked.length} acknowledgements`);
    t.equal(lines.slice(firstRefusal).filter((line) => line.startsWith('ack')).length, 0);
    t.equal(lines.filter((line) => line === 'refused SQLITE_REOPEN_NEEDED').length, 60 - acked.length - 1);
    t.ok(lines.some((line) => /^error SQLITE_IOERR_FSYNC 1 true$/.test(line)));
    t.strictSame(lost(acked, path), []);
  }
});

t.test('a failed sync while the WAL is moved stops acknowledgements too', needsStrace(), async (t) => {
  const job = { count: 120, bodyBytes: 60_000, isConcurrent: false };
  const dir = t.testdir();
  const trace = join(dir, 'trace');
  await write({ ...job, path: join(dir, 'a.db') }, [
    'strace',
    '-f',
    '-qq',
    '-y',
    '-e',
    'trace=fsync,fdatasync',
    '-o',
    trace,
  ]);
  const calls = readFileSync(trace, 'utf8').split('\n');
  const moved = calls.findIndex((line, i) => i > 30 && line.includes('/a.db>'));
  t.ok(moved > 0, 'the database file itself is synced while writing');
  const { acked, lines } = await write({ ...job, path: join(dir, 'b.db') }, failSync(moved + 1));
  t.ok(lines.includes('error SQLITE_IOERR_FSYNC 0 true'), 'told, with no item lost');
  t.ok(acked.length > 30 && acked.length < 120);
  t.equal(lines.filter((line) => line === 'refused SQLITE_REOPEN_NEEDED').length, 120 - acked.length);
  t.strictSame(lost(acked, join(dir, 'b.db')), []);
});
