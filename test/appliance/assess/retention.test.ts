import t from 'tap';
import { pruneAssessed, RETENTION } from '../../../appliance/assess/retention.ts';
import { advanceCursor, appendResultHistory, reports } from '../../../appliance/store/index.ts';
import { applianceContext, START_MS, type TestContext } from '../../helpers/appliance-context.ts';

const DAY = 24 * 3600 * 1000;

function fill(ctx: TestContext, count: number, receivedAtMs: number, bytes = 1): void {
  ctx.db.exec('BEGIN');
  const first = reports.lastSeqOfBox(ctx.db) + 1;
  for (let i = 0; i < count; i++) {
    reports.insert(ctx.db, { source: 'box', seq: first + i, receivedAtMs, body: Buffer.alloc(bytes) });
  }
  ctx.db.exec('COMMIT');
}
const count = (ctx: TestContext) => ctx.db.prepare('SELECT count(*) FROM report').pluck().get() as number;
function pruneAll(ctx: TestContext): number {
  let turns = 1;
  while (pruneAssessed(ctx.db, START_MS)) turns += 1;
  return turns;
}

t.test('reports older than seven days go, in bounded turns', async (t) => {
  const ctx = applianceContext(t);
  fill(ctx, 1200, START_MS - 8 * DAY);
  fill(ctx, 10, START_MS - DAY);
  advanceCursor(ctx.db, 'assess', 1210);
  t.equal(pruneAssessed(ctx.db, START_MS), true);
  t.equal(count(ctx), 1210 - RETENTION.rowsPerTurn);
  pruneAll(ctx);
  t.equal(count(ctx), 10);
});

t.test('of young reports the last ten thousand stay', async (t) => {
  const ctx = applianceContext(t);
  fill(ctx, RETENTION.reportRows + 700, START_MS);
  advanceCursor(ctx.db, 'assess', RETENTION.reportRows + 700);
  t.equal(pruneAll(ctx), 2);
  t.equal(count(ctx), RETENTION.reportRows);
});

t.test('what was not assessed stays, however old', async (t) => {
  const ctx = applianceContext(t);
  fill(ctx, 20, START_MS - 30 * DAY);
  advanceCursor(ctx.db, 'assess', 5);
  pruneAll(ctx);
  t.equal(count(ctx), 15);
});

t.test('the newest report stays, so that ids go on rising', async (t) => {
  const ctx = applianceContext(t);
  fill(ctx, 5, START_MS - 30 * DAY);
  advanceCursor(ctx.db, 'assess', 5);
  pruneAll(ctx);
  t.equal(count(ctx), 1);
  fill(ctx, 1, START_MS);
  t.equal(ctx.db.prepare('SELECT max(id) FROM report').pluck().get(), 6);
});

t.test('of large reports no more stay than fit the byte budget, the newest ones', async (t) => {
  const ctx = applianceContext(t);
  const MiB = 1024 * 1024;
  fill(ctx, 70, START_MS, MiB);
  advanceCursor(ctx.db, 'assess', 3);
  pruneAll(ctx);
  t.equal(count(ctx), 67, 'not what was not assessed');
  advanceCursor(ctx.db, 'assess', 70);
  pruneAll(ctx);
  t.strictSame(ctx.db.prepare('SELECT count(*) AS n, min(id) AS low FROM report').get(), {
    n: RETENTION.reportBytes / MiB,
    low: 7,
  });
});

t.test('history is bounded by bytes', async (t) => {
  const ctx = applianceContext(t);
  const row = { source: 'box', check: 'services', subject: 'cron', status: 'pass', severity: 'info' } as const;
  const facts = { detail: 'x'.repeat(16_000) };
  const rest = { controls: [], expected: '', actual: '', reason: '', facts, collectedAtMs: 0, reportId: 1 };
  ctx.db.exec('BEGIN');
  for (let i = 0; i < 3000; i++) appendResultHistory(ctx.db, { ...row, ...rest, receivedAtMs: i, sinceMs: 0 });
  ctx.db.exec('COMMIT');
  pruneAll(ctx);
  const left = ctx.db.prepare('SELECT sum(length(facts)) AS bytes, max(id) AS high FROM result_history').get();
  const { bytes, high } = left as { bytes: number; high: number };
  t.equal(high, 3000);
  t.ok(bytes <= RETENTION.historyBytes && bytes > RETENTION.historyBytes - 20_000, String(bytes));
});

t.test('history is bounded by rows', async (t) => {
  const ctx = applianceContext(t);
  const row = { source: 'box', check: 'services', subject: 'cron', status: 'pass', severity: 'info' } as const;
  const rest = { controls: [], expected: '', actual: '', reason: '', facts: {}, collectedAtMs: 0, reportId: 1 };
  ctx.db.exec('BEGIN');
  for (let i = 0; i < RETENTION.historyRows + 3; i++) {
    appendResultHistory(ctx.db, { ...row, ...rest, receivedAtMs: i, sinceMs: 0 });
  }
  ctx.db.exec('COMMIT');
  pruneAll(ctx);
  t.strictSame(ctx.db.prepare('SELECT count(*) AS n, min(id) AS low FROM result_history').get(), {
    n: RETENTION.historyRows,
    low: 4,
  });
});
