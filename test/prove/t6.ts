import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { waitFor } from '../../scripts/lib/wait.ts';
import { enroll, openSession, sixResults } from '../helpers/agent-client.ts';
import { startAppliance } from '../helpers/appliance.ts';
import { startSystem } from '../helpers/system.ts';
import { damageAtRandom } from '../kit/sqlite/damage.ts';
import { seededRandom } from './lib/random.ts';
import { check, newTally, type Tally } from './lib/tally.ts';
import type { ProofResult } from './promises.ts';

const REPORTS = 1200;
const READY_MS = 10_000;
const PLAIN_CASES = 60;

/** What a box has before the damage, and what is left of it after. */
interface Holding {
  readonly reports: number;
  readonly entries: number;
}

/** Files of a box with a backlog, killed while it worked, are damaged at random; the real appliance starts on them. */
export async function run({ full, seed }: { full: boolean; seed: number }): Promise<ProofResult> {
  const random = seededRandom(seed);
  const base = mkdtempSync(join(tmpdir(), 'sitewarden-damaged-'));
  const tally = newTally();
  let slowestMs = 0;
  let lossy = 0;
  let brokenForPlain = 0;
  const cases = full ? 500 : 6;
  try {
    const template = join(base, 'template');
    await makeTemplate(template);
    const before = holdingOf(template);
    check(tally, before.reports >= REPORTS && before.entries > 0, `the box had ${JSON.stringify(before)}`);
    for (let index = 0; index < cases; index += 1) {
      const dataDir = join(base, 'copy');
      rmSync(dataDir, { recursive: true, force: true });
      cpSync(template, dataDir, { recursive: true });
      const what = damageAtRandom(join(dataDir, 'appliance.db'), random);
      const fromMs = performance.now();
      const box = await startAppliance({ dataDir }).catch((error: Error) => error);
      slowestMs = Math.max(slowestMs, performance.now() - fromMs);
      check(tally, !(box instanceof Error), `${what}: it does not start: ${(box as Error).message}`);
      if (box instanceof Error) continue;
      const { losses } = (await (await fetch(new URL('/api/local/status', box.localUrl))).json()) as {
        losses: readonly unknown[];
      };
      box.kill('SIGKILL');
      await box.exited;
      const after = holdingOf(dataDir);
      const isLess = after.reports < before.reports || after.entries < before.entries;
      if (isLess) lossy += 1;
      check(
        tally,
        !isLess || losses.length > 0,
        `${what}: ${JSON.stringify(after)} is left, and nothing is said of it`,
      );
    }
    for (let index = 0; index < PLAIN_CASES; index += 1) {
      if (!plainReads(template, { copy: join(base, 'plain'), before, random })) brokenForPlain += 1;
    }
    if (full) check(tally, slowestMs <= READY_MS, `ready after ${Math.round(slowestMs)} ms`);
    await badConfig(join(base, 'copy'), { template, before, tally });
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
  return {
    cases: tally.cases,
    failures: tally.faults.length,
    control: {
      expectedToFail: true,
      failed: brokenForPlain > 0,
      detail: `a program that only opens the file meets an error or misses rows in ${brokenForPlain} of ${PLAIN_CASES}`,
    },
    detail: `${lossy} of ${cases} damages lost something, ready in ${Math.round(slowestMs)} ms at most; ${tally.faults.slice(0, 3).join('; ')}`,
  };
}

/** A claimed box whose relay is away: reports, and entries that were not sent. Killed, so that the WAL is full. */
async function makeTemplate(to: string): Promise<void> {
  const system = await startSystem({ requiredServices: ['cron'] });
  try {
    await system.relay.stop();
    const identity = await enroll(await system.appliance.makeToken());
    const session = await openSession(system.appliance.intakeAddress, identity);
    for (let seq = 1; seq <= REPORTS; seq += 1) {
      const report = sixResults(seq);
      // A service that stops and runs again: incidents, and so evidence.
      report.results[5]!.status = Math.floor(seq / 400) % 2 === 0 ? 1 : 2;
      session.send({ $case: 'report', value: report });
    }
    await waitFor('all reports on disk', () => session.ackedThrough() === REPORTS, 60_000);
    await waitFor('evidence of them', () => holdingOf(join(system.base, 'appliance')).entries > 3, 60_000);
    system.appliance.kill('SIGKILL');
    await system.appliance.exited;
    session.close();
    cpSync(join(system.base, 'appliance'), to, { recursive: true });
  } finally {
    await system.close();
  }
}

function holdingOf(dataDir: string): Holding {
  const db = new Database(join(dataDir, 'appliance.db'), { readonly: true });
  try {
    const count = (table: string) => db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() as number;
    return { reports: count("report WHERE source <> 'box'"), entries: count('evidence_leaf') };
  } finally {
    db.close();
  }
}

interface Plain {
  readonly copy: string;
  readonly before: Holding;
  readonly random: () => number;
}

/** Whether a program that opens the file and knows nothing of damage finds everything. */
function plainReads(template: string, { copy, before, random }: Plain): boolean {
  cpSync(template, copy, { recursive: true });
  damageAtRandom(join(copy, 'appliance.db'), random);
  try {
    const found = holdingOf(copy);
    return found.reports === before.reports && found.entries === before.entries;
  } catch {
    return false;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

interface BadConfig {
  readonly template: string;
  readonly before: Holding;
  readonly tally: Tally;
}

/** A configuration nobody can read keeps the box from starting and touches nothing of what it has. */
async function badConfig(dataDir: string, { template, before, tally }: BadConfig): Promise<void> {
  rmSync(dataDir, { recursive: true, force: true });
  cpSync(template, dataDir, { recursive: true });
  const refusal = await startAppliance({ dataDir, logLevel: 'no such level' }).then(
    (box) => {
      box.kill('SIGKILL');
      return '';
    },
    (error: Error) => error.message,
  );
  check(tally, /logLevel/.test(refusal), `a bad configuration is named: ${refusal}`);
  const { reports, entries } = holdingOf(dataDir);
  check(tally, reports === before.reports && entries === before.entries, 'and the backlog is as it was');
}
