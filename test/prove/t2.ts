import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type AgentIdentity, openSession, sixResults } from '../helpers/agent-client.ts';
import { startAppliance, type TestAppliance } from '../helpers/appliance.ts';
import { makeEnrolledBox } from './lib/enrolled-box.ts';
import { readJournal } from './lib/journal.ts';
import { seededRandom } from './lib/random.ts';
import { check, newTally, type Tally } from './lib/tally.ts';
import type { ProofResult } from './promises.ts';

const CALLS = ['fsync', 'fdatasync', 'pwrite64'] as const;
/** Beyond the last the box would outlive the time it is given; a start alone has some dozens of each. */
const LAST_POINT = { fsync: 60, fdatasync: 160, pwrite64: 700 } as const;
/** Reports are pushed for this long, if the crash does not come before. */
const PUSH_MS = 4000;
const READY_MS = 5000;

interface World {
  readonly dataDir: string;
  readonly identity: AgentIdentity;
  acked: number;
}

/** The appliance dies at the n-th sync or write of one of its threads, at its start or while an agent pushes, and starts again. */
export async function run({ full, seed }: { full: boolean; seed: number }): Promise<ProofResult> {
  const random = seededRandom(seed);
  const tally = newTally();
  const { crashes, slowestMs } = await crashing(full ? 500 : 4, { random, isTimed: full, tally });
  const weak = newTally();
  const control = await crashing(full ? 20 : 3, { random, isTimed: false, tally: weak, isWeak: true });
  return {
    cases: tally.cases,
    failures: tally.faults.length,
    control: {
      expectedToFail: true,
      failed: weak.faults.length > 0,
      detail: `acknowledged before the commit: ${weak.faults.length} faults in ${control.crashes} crashes (${weak.faults[0] ?? 'none'})`,
    },
    detail: `${crashes} crashes, ready again in ${Math.round(slowestMs)} ms at most; ${tally.faults.slice(0, 3).join('; ')}`,
  };
}

interface Crashing {
  readonly random: () => number;
  readonly isTimed: boolean;
  readonly tally: Tally;
  readonly isWeak?: boolean;
}

async function crashing(wanted: number, { random, isTimed, tally, isWeak = false }: Crashing) {
  const base = mkdtempSync(join(tmpdir(), 'sitewarden-crash-'));
  let crashes = 0;
  let slowestMs = 0;
  try {
    const dataDir = join(base, 'data');
    const world: World = { dataDir, identity: await makeEnrolledBox(dataDir), acked: 0 };
    const weakly = isWeak ? ['--import', join(import.meta.dirname, 'lib', 'early-ack.mjs')] : [];
    for (let tried = 0; crashes < wanted && tried < wanted * 3; tried += 1) {
      // What was acknowledged too early is lost where a commit is half written, once reports come in.
      const call = isWeak ? 'pwrite64' : CALLS[tried % CALLS.length]!;
      const first = isWeak ? LAST_POINT[call] / 2 : 1;
      const point = Math.floor(first + random() * (LAST_POINT[call] - first));
      if (!(await crashAt(world, { call, point, nodeArgs: weakly }))) continue;
      crashes += 1;
      const what = `${call} ${point}`;
      const fromMs = performance.now();
      const box = await startAppliance({ dataDir: world.dataDir }).catch((error: Error) => error);
      const tookMs = performance.now() - fromMs;
      slowestMs = Math.max(slowestMs, tookMs);
      check(tally, !(box instanceof Error), `${what}: it did not start again: ${(box as Error).message}`);
      if (box instanceof Error) break;
      check(tally, !/set aside|kept aside/.test(box.output()), `${what}: the database was damaged`);
      if (isTimed) check(tally, tookMs <= READY_MS, `${what}: ready after ${Math.round(tookMs)} ms`);
      box.kill('SIGKILL');
      await box.exited;
      const { lost, doubled, integrity, isLogWhole } = readJournal(world.dataDir, world.identity.agentId, world.acked);
      check(tally, lost === 0, `${what}: ${lost} of ${world.acked} acknowledged reports are gone`);
      check(tally, doubled === 0, `${what}: ${doubled} reports twice`);
      check(tally, integrity === 'ok', `${what}: ${integrity}`);
      check(tally, isLogWhole, `${what}: the evidence log has a hole`);
    }
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
  return { crashes, slowestMs };
}

interface Point {
  readonly call: (typeof CALLS)[number];
  readonly point: number;
  readonly nodeArgs: readonly string[];
}

/** True when the crash came. Raises what is acknowledged. */
async function crashAt(world: World, { call, point, nodeArgs }: Point): Promise<boolean> {
  let box: TestAppliance;
  try {
    box = await startAppliance({
      dataDir: world.dataDir,
      nodeArgs,
      wrapper: [
        ...['strace', '-f', '-D', '-qq', '-o', '/dev/null'],
        ...['-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${point}`],
      ],
    });
  } catch {
    return true;
  }
  let isGone = false;
  const gone = box.exited.then(() => {
    isGone = true;
  });
  try {
    const session = await openSession(box.intakeAddress, world.identity).catch(() => undefined);
    if (session === undefined) return true;
    session.stream.on('error', () => {});
    let seq = session.ackedThrough();
    for (const untilMs = performance.now() + PUSH_MS; performance.now() < untilMs && !isGone; ) {
      seq += 1;
      session.send({ $case: 'report', value: sixResults(seq) });
      await delay(5);
    }
    world.acked = Math.max(world.acked, session.ackedThrough());
    session.close();
    return isGone;
  } finally {
    box.kill('SIGKILL');
    await gone;
  }
}
