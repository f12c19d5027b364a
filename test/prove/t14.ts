import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BOX_PATHS, type SiteConfig } from '@sitewarden/agent-proto/http';
import { makeNonce } from '@sitewarden/agent-proto/http-signature';
import Database from 'better-sqlite3';
import { loadIdentity } from '../../appliance/identity/index.ts';
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
 * A real box whose data folder is copied, both running, against a real relay: it must be quarantined and get no order. A copy
 * that asks and never checks in must get nothing either. The same box alone, killed again and again while answers to its
 * check-ins are lost, must never be stopped.
 */
export async function run({ full, seed }: { full: boolean; seed: number }): Promise<ProofResult> {
  const tally = newTally();
  const intervalMs = full ? 60_000 : 2000;
  const caughtMs = await withClone({ intervalMs }, (pair) => catchClone(pair, { intervalMs, tally }));
  const honest = await runAlone({ restarts: full ? 1000 : 4, random: seededRandom(seed), tally });
  const silent = await askSilently(tally);
  const unguarded = await withoutChain();
  return {
    cases: tally.cases,
    failures: tally.faults.length,
    control: {
      expectedToFail: true,
      failed: unguarded.state === 'active' && unguarded.orders > 0 && hasAll(silent.unguarded),
      detail:
        `by its signature alone a copy is ${unguarded.state} and ran ${unguarded.orders} order after ${unguarded.checkins} ` +
        `check-ins, and one that never checks in is given ${inWords(silent.unguarded)}`,
    },
    detail:
      tally.faults.slice(0, 5).join('; ') ||
      `caught ${Math.round(caughtMs)} ms after both ran at one check-in in ${intervalMs} ms; alone ${honest}; one that never checks in is given ${inWords(silent.given)}`,
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

/** What a copy was given that signs as the box does and never checks in. */
interface Given {
  orders: number;
  settings: number;
  secrets: number;
}

const hasAll = ({ orders, settings, secrets }: Given): boolean => orders > 0 && settings > 0 && secrets > 0;
const inWords = ({ orders, settings, secrets }: Given): string =>
  `${orders} orders, ${settings} settings and ${secrets} secrets`;

/** Asks for everything a box asks for, with the keys and the last check-in token of a copied data folder. */
async function askAs(copyDir: string, origin: string): Promise<{ given: Given; codes: string[] }> {
  const { dik, seal } = await loadIdentity({ dataDir: copyDir, publicHosts: [] });
  const { token } = JSON.parse(readFileSync(join(copyDir, 'uplink.json'), 'utf8')) as { token: string };
  const codes: string[] = [];
  async function ask<T>(path: string): Promise<Partial<T>> {
    const url = origin + path;
    const createdS = Math.floor(Date.now() / 1000);
    const signed = dik.signRequest({
      method: 'GET',
      url,
      body: '',
      createdS,
      nonce: makeNonce(),
      checkinToken: token,
    });
    const answer = await fetch(url, { headers: { ...signed } });
    const body = (await answer.json()) as T & { code?: string };
    codes.push(answer.ok ? 'given' : (body.code ?? String(answer.status)));
    return answer.ok ? body : {};
  }
  const { orders = [] } = await ask<{ orders: string[] }>(BOX_PATHS.orders);
  const { config } = await ask<{ config: string }>(BOX_PATHS.config);
  const { release } = await ask<{ release: string }>(BOX_PATHS.release);
  const settings = config === undefined ? undefined : payloadOf<SiteConfig>(config);
  const secrets = (settings?.secrets ?? []).filter(({ box }) => {
    const bytes = Buffer.from(box, 'base64url');
    const [senderPublicKey, nonce, ciphertext] = [bytes.subarray(0, 32), bytes.subarray(32, 56), bytes.subarray(56)];
    return seal.open({ senderPublicKey, nonce, ciphertext }) !== undefined;
  });
  const given = {
    orders: orders.length,
    settings: (settings === undefined ? 0 : 1) + (release === undefined ? 0 : 1),
    secrets: secrets.length,
  };
  return { given, codes };
}

/** A copy that never checks in while the box itself does, and then the same copy where the relay knows of no check-in. */
async function askSilently(tally: Tally): Promise<{ given: Given; unguarded: Given }> {
  const system = await startSystem({ checkinIntervalMs: 1000 });
  const { staff, siteId } = system;
  try {
    await checkedIn(system);
    await system.appliance.stop();
    const copyDir = join(system.base, 'copy');
    cpSync(join(system.base, 'appliance'), copyDir, { recursive: true });
    let answered = 0;
    system.proxy.decide = (path) => {
      if (path === BOX_PATHS.checkin) answered += 1;
      return 'pass';
    };
    await system.startAppliance();
    await waitFor('the box to check in', () => answered >= 4, 60_000, 20);
    await system.appliance.stop();
    await staff.call('PATCH', `/api/sites/${siteId}`, { agentTier: 2 });
    await staff.call('PUT', `/api/sites/${siteId}/secrets/router`, { value: 'what nobody else is to know' });
    check(tally, await isOrdered(system), 'no order was taken though the copy was silent');
    const origin = String(system.proxy.url);
    const { given, codes } = await askAs(copyDir, origin);
    check(tally, given.orders === 0, 'a copy that never checks in was given an order');
    check(tally, given.settings === 0, 'a copy that never checks in was given the settings');
    check(tally, given.secrets === 0, 'a copy that never checks in opened a secret');
    check(tally, new Set(codes).size === 1 && codes[0] === 'CHECKIN_FIRST', `a copy was told ${codes.join()}`);
    check(tally, (await stateOf(system)) === 'active', 'a copy that only asked stopped the box');
    await system.startAppliance();
    const boxDir = join(system.base, 'appliance');
    await waitFor('the box to have its order', () => orderCount(boxDir) === 1, 60_000, 50);
    check(tally, (await stateOf(system)) === 'active', 'the box itself was taken for a copy');
    await system.appliance.stop();
    await isOrdered(system);
    forgetChains(system);
    return { given, unguarded: (await askAs(copyDir, origin)).given };
  } finally {
    await system.close();
  }
}

/** The control of the silent copy: a relay that knows of no check-in asks for no token. */
function forgetChains(system: System): void {
  const db = new Database(join(system.base, 'relay', 'relay.db'));
  db.exec('DELETE FROM appliance_live');
  db.close();
}

const payloadOf = <T>(envelope: string): T =>
  JSON.parse(Buffer.from((JSON.parse(envelope) as { payload: string }).payload, 'base64').toString('utf8')) as T;

/** The control: the relay forgets each check-in at once, so any token continues the chain and only the signature tells who it is. */
function openChain(system: System): void {
  const db = new Database(join(system.base, 'relay', 'relay.db'));
  for (const event of ['INSERT', 'UPDATE']) {
    db.exec(`CREATE TRIGGER open_chain_${event} AFTER ${event} ON appliance_live
      BEGIN DELETE FROM appliance_live WHERE appliance_id = new.appliance_id; END`);
  }
  db.exec('DELETE FROM appliance_live');
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
