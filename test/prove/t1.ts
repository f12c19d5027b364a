import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type AgentIdentity, enroll, openSession, sixResults } from '../helpers/agent-client.ts';
import { startAppliance } from '../helpers/appliance.ts';
import { readJournal } from './lib/journal.ts';
import { makeDisk } from './lib/power-cut.ts';
import { seededRandom } from './lib/random.ts';
import type { ProofResult } from './promises.ts';

/** An acknowledged event survives a power cut: the real appliance on a real ext4, its power cut while agents push. */
export async function run({ full, seed }: { full: boolean; seed: number }): Promise<ProofResult> {
  const cuts = full ? 200 : 3;
  const controlCuts = full ? 20 : 3;
  const random = seededRandom(seed);
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
