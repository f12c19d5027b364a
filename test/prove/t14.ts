import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import Database from 'better-sqlite3';
import { DATABASE_FILE } from '../../appliance/store/open.ts';
import { StaffClientError } from '../../scripts/lib/staff-client.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { startAppliance, type TestAppliance } from '../helpers/appliance.ts';
import { applianceAt } from '../helpers/relay-program.ts';
import { type System, startSystem } from '../helpers/system.ts';
import { seededRandom } from './lib/random.ts';
import { check, newTally, type Tally } from './lib/tally.ts';
import type { ProofResult } from './promises.ts';

/** Two check-ins and what they are late by; 130 s at one a minute. */
const WITHIN_INTERVALS = 130 / 60;
/** Beyond the intervals: starting two programs and reading the answer. */
const SLACK_MS = 5000;
/** Every third answer to a check-in is lost, on average. */
const LOST = 1 / 3;
const CHECKINS_BETWEEN = 2;
const CONTROL_TRIES = 4;

/**
 * A real box whose data folder is copied, both running, against a real relay: it must be quarantined and get no order. The
 * same box alone, killed again and again while answers to its check-ins are lost, must never be.
 */
export async function run({ full, seed }: { full: boolean; seed: number }): Promise<ProofResult> {
  const tally = newTally();
  const intervalMs = full ? 60_000 : 2000;
  const caughtMs = await withClone({ intervalMs }, (pair) => catchClone(pair, { intervalMs, tally }));
  const honest = await runAlone({ restarts: full ? 1000 : 4, random: seededRandom(seed), tally });
  const unguarded = await withoutChain();
  return {
    cases: tally.cases,
    failures: tally.faults.length,
    control: {
      expectedToFail: true,
      failed: unguarded.state === 'active' && unguarded.orders > 0,
      detail: `by its signature alone a copy is ${unguarded.state} and ran ${unguarded.orders} order after ${unguarded.checkins} check-ins`,
    },
    detail:
      tally.faults.slice(0, 5).join('; ') ||
      `caught ${Math.round(caughtMs)} ms after both ran at one check-in in ${intervalMs} ms; alone ${honest}`,
  };
}

interface Pair {
  readonly system: System;
  readonly copy: TestAppliance;
  readonly copyDir: string;
  readonly runningAtMs: number;
}

async function withClone<T>(
  { intervalMs, isUnguarded = false }: { intervalMs: number; isUnguarded?: boolean },
  work: (pair: Pair) => Promise<T>,
): Promise<T> {
  const system = await startSystem({ checkinIntervalMs: intervalMs });
  let copy: TestAppliance | undefined;
  try {
    await checkedIn(system);
    if (isUnguarded) openChain(system);
    await system.appliance.stop();
    const copyDir = join(system.base, 'copy');
    cpSync(join(system.base, 'appliance'), copyDir, { recursive: true });
    const { relay } = JSON.parse(readFileSync(system.appliance.configFile, 'utf8')) as {
      relay: { url: string; rootKey: string };
    };
    await system.startAppliance();
    copy = await startAppliance({ dataDir: copyDir, relay, checkinIntervalMs: intervalMs });
    return await work({ system, copy, copyDir, runningAtMs: performance.now() });
  } finally {
    await copy?.stop();
    await system.close();
  }
}

async function catchClone(
  { system, copy, copyDir, runningAtMs }: Pair,
  { intervalMs, tally }: { intervalMs: number; tally: Tally },
): Promise<number> {
  const withinMs = WITHIN_INTERVALS * intervalMs + SLACK_MS;
  const isCaught = await waitFor('the quarantine', async () => (await stateOf(system)) === 'quarantined', withinMs, 50)
    .then(() => true)
    .catch(() => false);
  const caughtMs = performance.now() - runningAtMs;
  check(tally, isCaught, `not caught within ${withinMs} ms`);
  check(tally, !(await isOrdered(system)), 'an order was taken for a box in quarantine');
  await wait(Math.min(3 * intervalMs, 2 * intervalMs + SLACK_MS));
  check(tally, (await stateOf(system)) === 'quarantined', 'the quarantine ended by itself');
  for (const [name, dir] of [
    ['the box', join(system.base, 'appliance')],
    ['the copy', copyDir],
  ] as const) {
    check(tally, orderCount(dir) === 0, `${name} got an order`);
  }
  for (const { localUrl, pid } of [system.appliance, copy]) {
    const page = await fetch(new URL('/api/local/status', localUrl));
    check(tally, page.ok, `the program ${pid} does not serve its site any more`);
  }
  return caughtMs;
}

/** Restarted and robbed of answers, but alone. */
async function runAlone(options: { restarts: number; random: () => number; tally: Tally }): Promise<string> {
  const { restarts, random, tally } = options;
  const system = await startSystem({ checkinIntervalMs: 1000 });
  let lost = 0;
  let answered = 0;
  try {
    system.proxy.decide = (path) => {
      if (path !== BOX_PATHS.checkin) return 'pass';
      if (random() < LOST) {
        lost += 1;
        return 'lose-answer';
      }
      answered += 1;
      return 'pass';
    };
    for (let restart = 0; restart < restarts; restart += 1) {
      const until = answered + CHECKINS_BETWEEN;
      await waitFor('check-ins', () => answered >= until, 60_000, 20);
      // Anywhere between two check-ins, or in the middle of one.
      await wait(random() * 1000);
      system.appliance.kill('SIGKILL');
      await system.appliance.exited;
      check(tally, (await stateOf(system)) === 'active', `quarantined before restart ${restart + 1}`);
      await system.startAppliance();
    }
    const until = answered + CHECKINS_BETWEEN;
    await waitFor('check-ins', () => answered >= until, 60_000, 20);
    check(tally, (await stateOf(system)) === 'active', 'quarantined at the end');
    return `${restarts} kills and ${lost} of ${lost + answered} answers lost`;
  } finally {
    await system.close();
  }
}

/** The control: any token continues the chain, so only the signature tells who it is. */
function openChain(system: System): void {
  const db = new Database(join(system.base, 'relay', 'relay.db'));
  for (const event of ['INSERT', 'UPDATE']) {
    db.exec(`CREATE TRIGGER open_chain_${event} AFTER ${event} ON appliance_live WHEN new.previous_body_hash IS NOT NULL
      BEGIN UPDATE appliance_live SET previous_body_hash = NULL WHERE appliance_id = new.appliance_id; END`);
  }
  db.exec('UPDATE appliance_live SET previous_body_hash = NULL');
  db.close();
}

/**
 * The relay writes check-ins that come together in one go, and tells them apart in memory, where the trigger does not reach:
 * two of the same moment are caught even without a chain in its database.
 */
async function withoutChain(): ReturnType<typeof takesBoth> {
  for (let tries = 1; ; tries += 1) {
    const found = await withClone({ intervalMs: 1000, isUnguarded: true }, takesBoth);
    if (found.state === 'active' || tries === CONTROL_TRIES) return found;
  }
}

async function takesBoth({ system, copyDir }: Pair): Promise<{ state: string; orders: number; checkins: number }> {
  let checkins = 0;
  system.proxy.decide = (path) => {
    if (path === BOX_PATHS.checkin) checkins += 1;
    return 'pass';
  };
  await waitFor('check-ins of both', () => checkins >= 8, 60_000, 20);
  await isOrdered(system);
  const dirs = [join(system.base, 'appliance'), copyDir];
  const count = () => dirs.reduce((sum, dir) => sum + orderCount(dir), 0);
  await waitFor('the order', () => count() > 0, 30_000, 50).catch(() => {});
  return { state: await stateOf(system), orders: count(), checkins };
}

async function stateOf({ staff, siteId }: System): Promise<string> {
  return (await applianceAt(staff, siteId))?.state ?? 'none';
}

async function isOrdered({ staff, siteId }: System): Promise<boolean> {
  try {
    await staff.call('POST', `/api/sites/${siteId}/orders`, { action: 'run_check' });
    return true;
  } catch (error) {
    if (error instanceof StaffClientError && error.status === 409) return false;
    throw error;
  }
}

async function checkedIn({ staff, siteId }: System): Promise<void> {
  const isIn = async () => (await applianceAt(staff, siteId))?.lastCheckinAtMs != null;
  await waitFor('the first check-in', isIn, 120_000, 100);
}

function orderCount(dataDir: string): number {
  const db = new Database(join(dataDir, DATABASE_FILE), { readonly: true });
  try {
    return db.prepare<[], number>('SELECT count(*) FROM relay_order').pluck().get() ?? 0;
  } finally {
    db.close();
  }
}
