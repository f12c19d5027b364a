import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RETENTION } from '../../appliance/assess/retention.ts';
import { type AgentIdentity, enroll, openSession, sixResults } from '../helpers/agent-client.ts';
import { startAppliance } from '../helpers/appliance.ts';
import { makeDisk } from './lib/power-cut.ts';
import type { ProofResult } from './promises.ts';

/** An acknowledged event survives a power cut: the real appliance on a real ext4, its power cut while agents push. */
export async function run({ full, seed }: { full: boolean; seed: number }): Promise<ProofResult> {
  const cuts = full ? 200 : 3;
  const controlCuts = full ? 20 : 3;
  const random = mulberry32(seed);
  const kept = await runCuts(cuts, { isWeak: false, random });
  const control = await runCuts(controlCuts, { isWeak: true, random });
  return {
    cases: kept.length,
    failures: kept.filter((cut) => cut.lost > 0 || cut.integrity !== 'ok' || cut.acked === 0).length,
    control: {
      expectedToFail: true,
      // Whether a weak setting loses something depends on the kernel's own write-back: nearly always must be enough.
      failed: control.filter((cut) => cut.lost > 0).length >= Math.ceil(controlCuts * (full ? 0.95 : 0.6)),
      detail: `synchronous=NORMAL lost acknowledged reports in ${control.filter((cut) => cut.lost > 0).length} of ${controlCuts} cuts`,
    },
    detail: `${kept.reduce((sum, cut) => sum + cut.acked, 0)} acknowledged before ${cuts} cuts, ${kept.reduce((sum, cut) => sum + cut.lost, 0)} lost`,
  };
}

interface Cut {
  acked: number;
  lost: number;
  integrity: string;
}

async function runCuts(count: number, options: { isWeak: boolean; random: () => number }): Promise<Cut[]> {
  const cuts: Cut[] = [];
  const disk = makeDisk();
  let identity: AgentIdentity | undefined;
  try {
    for (let index = 0; index < count; index += 1) {
      const before = identity;
      const result = await cutOnce(disk, before, options);
      identity = result.identity;
      cuts.push(result.cut);
    }
  } finally {
    disk.remove();
  }
  return cuts;
}

/** One boot: push reports at 50 to 100 a second, cut the power at a random moment, mount again and count. */
async function cutOnce(
  disk: ReturnType<typeof makeDisk>,
  known: AgentIdentity | undefined,
  { isWeak, random }: { isWeak: boolean; random: () => number },
) {
  const appliance = await startAppliance({
    dataDir: join(disk.folder, 'data'),
    nodeArgs: isWeak ? ['--import', join(import.meta.dirname, 'lib', 'weak-sync.mjs')] : [],
  });
  try {
    const identity = known ?? (await enroll(await appliance.makeToken()));
    // The control is to lose reports, not the agent they come from.
    if (isWeak) disk.sync();
    const session = await openSession(appliance.intakeAddress, identity);
    session.stream.on('error', () => {});
    let seq = session.ackedThrough();
    const stopAt = performance.now() + 1200 + random() * 1500;
    while (performance.now() < stopAt) {
      seq += 1;
      session.send({ $case: 'report', value: sixResults(seq) });
      await delay(10 + random() * 10);
    }
    // Only what was acknowledged before the cut counts; a report in flight at the cut is undecided.
    const acked = session.ackedThrough();
    disk.cutPower();
    appliance.kill('SIGKILL');
    await appliance.exited;
    session.close();
    disk.reboot();
    const journal = readJournal(join(disk.folder, 'data'), identity.agentId, acked);
    return { identity, cut: { acked, ...journal } };
  } finally {
    appliance.kill('SIGKILL');
    await appliance.exited;
  }
}

/** What of the acknowledged reports is in the journal. Below its oldest row retention has deleted, never above. */
function readJournal(dataDir: string, agentId: string, acked: number): Omit<Cut, 'acked'> {
  const Database = createRequire(new URL('../../appliance/package.json', import.meta.url))('better-sqlite3');
  const db = new Database(join(dataDir, 'appliance.db'));
  try {
    const integrity = String(db.pragma('integrity_check', { simple: true }));
    const { oldest, stored } = db
      .prepare('SELECT min(seq) AS oldest, count(*) AS stored FROM report WHERE source = ? AND seq <= ?')
      .get(agentId, acked) as { oldest: number | null; stored: number };
    const { total } = db.prepare('SELECT count(*) AS total FROM report').get() as { total: number };
    const isPruned = oldest !== null && total >= RETENTION.reportRows;
    const expected = isPruned ? acked - oldest + 1 : acked;
    return { lost: expected - stored, integrity };
  } finally {
    db.close();
  }
}

/** A small seeded generator (mulberry32), so that a run can be repeated from its printed seed. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}
