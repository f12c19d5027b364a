import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../../scripts/lib/wait.ts';
import { type AgentIdentity, openSession, sixResults } from '../helpers/agent-client.ts';
import { startAppliance } from '../helpers/appliance.ts';
import { makeEnrolledBox } from './lib/enrolled-box.ts';
import { type JournalState, readJournal } from './lib/journal.ts';
import { makeDisk } from './lib/power-cut.ts';
import { seededRandom } from './lib/random.ts';
import { check, newTally, type Tally } from './lib/tally.ts';
import type { ProofResult } from './promises.ts';

/** An acknowledgement may be on its way when the sync behind it fails. */
const IN_FLIGHT_MS = 1000;
const WATCHED_MS = 3000;
const CONTROL_ROUNDS = 4;
/** Syncs of a start on a folder that is set up; the fault comes after them, while reports are stored. */
const AFTER_START = 60;

/**
 * Syncs of the box fail with EIO from the n-th on, or one of them does, while an agent pushes; then the power is cut. No
 * sync that fails is really done, so whatever was acknowledged too early is gone.
 */
export async function run({ full, seed }: { full: boolean; seed: number }): Promise<ProofResult> {
  const random = seededRandom(seed);
  const tally = newTally();
  for (let round = 0; round < (full ? 25 : 1); round += 1) {
    for (const isLasting of [true, false]) await failing(tally, { isLasting, point: pointOf(random) });
  }
  const weak = newTally();
  // The sync may fail just as the last of the late commits was made, when nothing is owed.
  for (let round = 0; round < CONTROL_ROUNDS && weak.faults.length === 0; round += 1) {
    await failing(weak, { isLasting: true, point: pointOf(random), isWeak: true });
  }
  return {
    cases: tally.cases,
    failures: tally.faults.length,
    control: {
      expectedToFail: true,
      failed: weak.faults.length > 0,
      detail: `acknowledged before the commit: ${weak.faults.join('; ') || 'no fault'}`,
    },
    detail: tally.faults.slice(0, 3).join('; '),
  };
}

const pointOf = (random: () => number): number => AFTER_START + Math.floor(random() * 60);

interface Fault {
  /** Every sync from the point on fails, else only the one. */
  readonly isLasting: boolean;
  readonly point: number;
  readonly isWeak?: boolean;
}

async function failing(tally: Tally, { isLasting, point, isWeak = false }: Fault): Promise<void> {
  const disk = makeDisk();
  try {
    const dataDir = join(disk.folder, 'data');
    const identity = await makeEnrolledBox(dataDir);
    disk.sync();
    const trace = join(disk.base, 'trace');
    const box = await startAppliance({
      dataDir,
      nodeArgs: isWeak ? ['--import', join(import.meta.dirname, 'lib', 'early-ack.mjs')] : [],
      wrapper: [
        ...['strace', '-f', '-D', '-qq', '-o', trace, '-e', 'trace=fsync,fdatasync'],
        ...['-e', `inject=fsync,fdatasync:error=EIO:when=${point}${isLasting ? '+' : ''}`],
      ],
    });
    try {
      const pushing = pushTo(box.intakeAddress, identity);
      const isInjected = () => readFileSync(trace, 'utf8').includes('(INJECTED)');
      await waitFor('a sync to fail', isInjected, 60_000);
      await delay(IN_FLIGHT_MS);
      const before = pushing.acked();
      if (isLasting) {
        await delay(WATCHED_MS);
        const late = pushing.acked() - before;
        check(tally, late === 0, `${late} acknowledgements after the failed sync`);
      } else {
        const goesOn = await waitFor('it to go on', () => pushing.acked() > before, 30_000).catch(() => false);
        check(tally, goesOn, 'it did not go on without a restart after one failed sync');
      }
      const acked = await pushing.stop();
      disk.cutPower();
      box.kill('SIGKILL');
      await box.exited;
      disk.reboot();
      const { lost, integrity } = journalOf(dataDir, identity.agentId, acked);
      check(tally, lost === 0, `${lost} of ${acked} acknowledged reports are gone`);
      check(tally, integrity === 'ok', integrity);
      check(tally, acked > 0, 'nothing was acknowledged before the fault');
    } finally {
      box.kill('SIGKILL');
      await box.exited;
    }
  } finally {
    disk.remove();
  }
}

/** A database that cannot be opened has lost everything. */
function journalOf(dataDir: string, agentId: string, acked: number): Pick<JournalState, 'lost' | 'integrity'> {
  try {
    return readJournal(dataDir, agentId, acked);
  } catch (error) {
    return { lost: acked, integrity: (error as Error).message };
  }
}

/** Pushes some hundred reports a second, over session after session, until it is stopped. */
function pushTo(address: string, identity: AgentIdentity) {
  let isOver = false;
  let acked = 0;
  const done = (async () => {
    while (!isOver) {
      const session = await openSession(address, identity).catch(() => undefined);
      if (session === undefined) {
        await delay(200);
        continue;
      }
      let isOpen = true;
      for (const end of ['error', 'end', 'close']) {
        session.stream.on(end, () => {
          isOpen = false;
        });
      }
      let seq = session.ackedThrough();
      acked = Math.max(acked, seq);
      while (isOpen && !isOver) {
        seq += 1;
        session.send({ $case: 'report', value: sixResults(seq) });
        await delay(8);
        acked = Math.max(acked, session.ackedThrough());
      }
      session.close();
    }
  })();
  return {
    acked: () => acked,
    async stop(): Promise<number> {
      isOver = true;
      await done;
      return acked;
    },
  };
}
