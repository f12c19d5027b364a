import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '@sitewarden/kit/time';
import Database from 'better-sqlite3';
import t from 'tap';
import { openQueue } from '../../agent/queue/index.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { enroll, openSession, sixResults } from '../helpers/agent-client.ts';
import { reportsOf } from '../helpers/agent-reports.ts';
import { startSystem } from '../helpers/system.ts';

const HOURS = 72;
const EVERY_MS = 300_000;
const ROUNDS = (HOURS * 3_600_000) / EVERY_MS;
/** No check takes so long: the rounds of the three days are told from others by it. */
const MARK = 1_000_000_000;
/** As long as others may wait for an acknowledgement while it drains. */
const MAX_WAIT_MS = 2000;

/** What a workstation keeps while its box is not there: the program's own queue, with its clock led through the days. */
function liveOffline(dataDir: string, caps: { maxRows: number }): number {
  const endMs = Date.now();
  let nowMs = endMs;
  const clock = { ...systemClock, nowMs: () => nowMs };
  const queue = openQueue(dataDir, { ...caps, maxAgeMs: 30 * 86_400_000 }, clock);
  for (let round = ROUNDS; round > 0; round -= 1) {
    nowMs = endMs - round * EVERY_MS;
    const { results, ...report } = sixResults(0, nowMs);
    results[0]!.durationMs = MARK + ROUNDS - round;
    queue.reports.enqueue({ ...report, results });
  }
  const { depth } = queue.reports;
  queue.close();
  return depth;
}

/** Whether all rounds of the three days are there, in their order. */
function isWhole(boxData: string, agentId: string): boolean {
  const rounds = reportsOf(boxData, agentId)
    .map(({ report }) => (report.results[0]?.durationMs ?? 0) - MARK)
    .filter((round) => round >= 0);
  return rounds.length === ROUNDS && rounds.every((value, index) => value === index);
}

t.test('a workstation that was away for 72 hours loses nothing, keeps its order and disturbs no other', async (t) => {
  const system = await startSystem({ checkIntervalMs: 3_600_000 });
  t.teardown(system.close);
  const { base, appliance } = system;
  const boxData = join(base, 'appliance');
  await system.startAgent();
  const agentId = await waitFor('its first report', async () => newestSource(boxData), 60_000);
  await system.agent?.stop();
  t.ok(liveOffline(join(base, 'agent'), { maxRows: 10_000 }) >= ROUNDS);

  // Another workstation that reports all the while.
  const other = await openSession(appliance.intakeAddress, await enroll(await appliance.makeToken(), 'other'));
  t.teardown(other.close);
  const waits: number[] = [];
  let isOver = false;
  const reporting = (async () => {
    for (let seq = 1; !isOver; seq += 1) {
      const fromMs = performance.now();
      other.send({ $case: 'report', value: sixResults(seq) });
      await waitFor(`report ${seq} of the other`, async () => other.ackedThrough() >= seq, 30_000, 5);
      waits.push(performance.now() - fromMs);
      await delay(20);
    }
  })();
  await system.startAgent();
  await waitFor('all of the three days', async () => isWhole(boxData, agentId), 60_000, 200);
  isOver = true;
  await reporting;

  const seqs = reportsOf(boxData, agentId).map(({ seq }) => seq);
  t.strictSame(
    seqs,
    seqs.map((_seq, index) => index + 1),
    'no gap, nothing twice',
  );
  t.ok(Math.max(...waits) < MAX_WAIT_MS, `the other waited ${Math.round(Math.max(...waits))} ms at most`);
  t.ok(waits.length > 10);
  // What comes after the backlog is as fresh as ever.
  const { id } = await system.staff.call<{ id: string }>('POST', `/api/sites/${system.siteId}/orders`, {
    ...{ action: 'run_check', agentId, checks: ['services'] },
  });
  await waitFor(
    'a fresh look',
    async () => {
      type Answer = { orders: { id: string; state: string }[] };
      const { orders } = await system.staff.call<Answer>('GET', `/api/sites/${system.siteId}/orders`);
      return orders.find((order) => order.id === id)?.state === 'done' || undefined;
    },
    60_000,
  );
});

t.test('control: a queue too small for three days is found not to be whole', async (t) => {
  const system = await startSystem({ checkIntervalMs: 3_600_000 });
  t.teardown(system.close);
  const boxData = join(system.base, 'appliance');
  await system.startAgent();
  const agentId = await waitFor('its first report', async () => newestSource(boxData), 60_000);
  await system.agent?.stop();
  const kept = liveOffline(join(system.base, 'agent'), { maxRows: 200 });
  t.equal(kept, 200);
  await system.startAgent();
  await waitFor('what was kept', async () => reportsOf(boxData, agentId).length >= kept, 60_000, 200);
  t.notOk(isWhole(boxData, agentId));
});

function newestSource(boxData: string): string | undefined {
  const db = new Database(join(boxData, 'appliance.db'), { readonly: true });
  try {
    const newest = "SELECT source FROM report WHERE source LIKE 'agt_%' ORDER BY id DESC LIMIT 1";
    return db.prepare(newest).pluck().get() as string | undefined;
  } finally {
    db.close();
  }
}
