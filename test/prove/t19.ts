import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import Database from 'better-sqlite3';
import { readIdentity, type StoredIdentity } from '../../agent/identity/store.ts';
import { ENTRIES, type Running, startProgram } from '../../scripts/lib/programs.ts';
import { makeSignInLink } from '../../scripts/lib/relay-setup.ts';
import { signIn } from '../../scripts/lib/staff-client.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { claimBox } from '../../scripts/start/site.ts';
import { startAppliance, type TestAppliance } from '../helpers/appliance.ts';
import { makeChain } from '../helpers/certificates.ts';
import { type HttpProxy, startHttpProxy } from '../helpers/http-proxy.ts';
import { startRelayProgram } from '../helpers/relay-program.ts';
import { tryCall } from './lib/agent-calls.ts';
import { keysOf } from './lib/box-keys.ts';
import { fakeTime } from './lib/fake-time.ts';
import type { ProofResult } from './promises.ts';

/**
 * Box and workstation are off while so much time passes, and started anew: a clock that jumps under a running program is
 * another fault. A workstation's certificate lasts 30 days and is renewed after 20.
 */
const STEP_DAYS = 9;
const CHECKIN_MS = 1000;
const WITHIN_MS = 60_000;
const MAX_CHECKINS = 3;
const QUIET = { checkinIntervalMs: CHECKIN_MS, logLevel: 'warn' } as const;

interface Tally {
  cases: number;
  readonly faults: string[];
}

interface World {
  readonly dir: string;
  /** The wall clock of box, agent and relay. */
  readonly clock: string;
  readonly front: HttpProxy;
  readonly rootKey: string;
}

/**
 * A real site whose relay is away for 90 and for 400 days, all three programs under one faked wall clock: the agent goes
 * on being served and has its certificate renewed by the box alone, and when the relay is back the box is heard again
 * within three check-ins, with the keys it had, and all that waited is delivered. Nobody touches anything.
 */
export async function run({ full }: { full: boolean; seed: number }): Promise<ProofResult> {
  const tally: Tally = { cases: 0, faults: [] };
  let kept = { refused: 0, asked: 0 };
  const words: string[] = [];
  for (const days of full ? [90, 400] : [45]) {
    const outcome = await away(days, tally);
    kept = { refused: kept.refused + outcome.refused, asked: kept.asked + outcome.asked };
    words.push(`${days} d: ${outcome.renewals} renewals, back after ${outcome.checkins} check-ins`);
  }
  return {
    cases: tally.cases,
    failures: tally.faults.length,
    control: {
      expectedToFail: true,
      failed: kept.asked > 0 && kept.refused === kept.asked,
      detail: `certificates that nobody renewed were refused ${kept.refused} times of ${kept.asked}`,
    },
    detail: tally.faults.slice(0, 5).join('; ') || words.join('; '),
  };
}

async function away(days: number, tally: Tally) {
  const dir = await mkdtemp(join(tmpdir(), 'sitewarden-t19-'));
  const clock = join(dir, 'clock');
  const setDay = (day: number) => writeFileSync(clock, `+${day}d`);
  setDay(0);
  const systemCas = getCACertificates('default');
  // The relay's own certificate is its operator's to renew, so here it simply lasts.
  const chain = await makeChain({ aroundMs: Date.now(), days: 1000 });
  setDefaultCACertificates([...systemCas, chain.ca]);
  const front = await startHttpProxy(0, chain);
  writeFileSync(join(dir, 'ca.pem'), chain.ca);
  const running: { relay?: Running; box?: TestAppliance; agent?: Running } = {};
  const dataDir = join(dir, 'appliance');
  const check = async (what: string, work: () => Promise<void>) => {
    tally.cases += 1;
    await work().catch((error: Error) => tally.faults.push(`${what}: ${error.message}`));
  };
  try {
    const { config, rootKey, relay } = await startRelayProgram({
      dir,
      publicUrl: front.url,
      trustProxy: ['127.0.0.1'],
      env: fakeTime(clock),
    });
    running.relay = relay;
    front.setTarget(Number(new URL(String(relay.ready.url)).port));
    const world: World = { dir, clock, front, rootKey };
    running.box = await startBox(world, dataDir);
    const staff = await signIn(front.url, await makeSignInLink(config));
    const client = await staff.call<{ id: string }>('POST', '/api/clients', { name: 'Clinic' });
    const site = { clientId: client.id, name: 'Main street', agentTier: 0, requiredServices: [] };
    const { id } = await staff.call<{ id: string }>('POST', '/api/sites', site);
    await claimBox(staff, id, running.box.localUrl);
    running.agent = await startAgent(world, running.box, await running.box.makeToken());
    await isServed(running.box, dataDir, 0);
    const keys = keysOf(dataDir);
    const first = await agentIdentity(dir);

    front.decide = () => 'refuse';
    let [renewals, known] = [0, first.certificatePem];
    for (let day = STEP_DAYS; ; day = Math.min(day + STEP_DAYS, days)) {
      await running.agent.stop();
      await running.box.stop();
      const before = newestReport(dataDir);
      setDay(day);
      running.box = await startBox(world, dataDir, running.box);
      running.agent = await startAgent(world, running.box);
      const box = running.box;
      await check(`day ${day} of ${days}`, () => isServed(box, dataDir, before));
      const { certificatePem } = await agentIdentity(dir);
      if (certificatePem !== known) [renewals, known] = [renewals + 1, certificatePem];
      if (day === days) break;
    }
    if (renewals === 0) tally.faults.push(`${days} d: the certificate was never renewed`);

    let checkins = 0;
    let heardAfter: number | undefined;
    front.observe = ({ path, status }) => {
      if (path !== BOX_PATHS.checkin) return;
      checkins += 1;
      if (status === 200) heardAfter ??= checkins;
    };
    front.decide = () => 'pass';
    const box = running.box;
    await check(`the box is heard again after ${days} d`, async () => {
      await waitFor('a good check-in', async () => heardAfter !== undefined, WITHIN_MS, 50);
      if ((heardAfter as number) > MAX_CHECKINS) throw new Error(`only check-in ${heardAfter} was good`);
      if (keysOf(dataDir) !== keys) throw new Error('a key was made anew');
    });
    await check(`what waited ${days} d is delivered`, () => isDrained(box));
    return { renewals, checkins: heardAfter, ...(await notRenewed(box, first)) };
  } finally {
    await running.agent?.stop();
    await running.box?.stop();
    await running.relay?.stop();
    await front.close();
    setDefaultCACertificates(systemCas);
    rmSync(dir, { recursive: true, force: true });
  }
}

function startBox({ dir, clock, front, rootKey }: World, dataDir: string, before?: TestAppliance) {
  const port = before?.intakeAddress.split(':').at(-1);
  return startAppliance({
    ...QUIET,
    dataDir,
    relay: { url: front.url, rootKey, caFile: join(dir, 'ca.pem') },
    env: fakeTime(clock),
    ...(port === undefined ? {} : { intakePort: Number(port) }),
  });
}

function startAgent({ dir, clock }: World, box: TestAppliance, tokenFile?: string): Promise<Running> {
  const config = join(dir, 'agent.yaml');
  const settings = { applianceAddress: box.intakeAddress, dataDir: join(dir, 'agent'), logLevel: 'warn' };
  writeFileSync(config, JSON.stringify(tokenFile === undefined ? settings : { ...settings, tokenFile }));
  const args = ['run', '--config', config, '--ready-json'];
  return startProgram({ name: 'agent', entry: ENTRIES.agent, args, env: fakeTime(clock), timeoutMs: WITHIN_MS });
}

async function agentIdentity(dir: string): Promise<StoredIdentity> {
  const identity = await readIdentity(join(dir, 'agent'));
  if (identity === undefined) throw new Error('the agent has no identity');
  return identity;
}

/** Id of the newest report of a workstation on the box's disk. */
function newestReport(dataDir: string): number {
  const db = new Database(join(dataDir, 'appliance.db'), { readonly: true });
  try {
    return Number(db.prepare("SELECT max(id) FROM report WHERE source LIKE 'agt_%'").pluck().get() ?? 0);
  } finally {
    db.close();
  }
}

/** The agent is connected, and what it saw since is on the box's disk. */
async function isServed(box: TestAppliance, dataDir: string, before: number): Promise<void> {
  await waitFor('a report of the agent', async () => newestReport(dataDir) > before, WITHIN_MS, 50);
  if ((await statusOf(box)).agents.connected !== 1) throw new Error('the agent is not connected');
}

async function isDrained(box: TestAppliance): Promise<void> {
  const isEmpty = async () => {
    const { lanes, evidence } = await statusOf(box);
    const waiting = Object.values(lanes).filter(({ depth }) => depth > 0);
    return waiting.length === 0 && evidence.cosignedSize === evidence.size;
  };
  await waitFor('empty lanes and a cosigned log', isEmpty, WITHIN_MS, 200);
}

async function statusOf({ localUrl }: TestAppliance) {
  return (await (await fetch(`${localUrl}/api/local/status`)).json()) as {
    agents: { connected: number };
    lanes: Record<string, { depth: number }>;
    evidence: { size: number; cosignedSize: number };
  };
}

/** The control: the certificate of the first day, which nobody renewed. */
async function notRenewed(box: TestAppliance, { keyPem, certificatePem, trustedCaPems }: StoredIdentity) {
  const options = {
    address: box.intakeAddress,
    caPem: trustedCaPems[0] as string,
    client: { keyPem, certificatePem },
  };
  const outcomes = [await tryCall('session', options), await tryCall('renewCertificate', options)];
  return { asked: outcomes.length, refused: outcomes.filter(({ kind }) => kind === 'refused').length };
}
