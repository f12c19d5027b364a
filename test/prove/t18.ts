import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { runTool } from '@sitewarden/kit/exec';
import Database from 'better-sqlite3';
import type { Running } from '../../scripts/lib/programs.ts';
import { makeSignInLink } from '../../scripts/lib/relay-setup.ts';
import { type StaffClient, signIn } from '../../scripts/lib/staff-client.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { claimBox } from '../../scripts/start/site.ts';
import { startAppliance } from '../helpers/appliance.ts';
import { type Chain, makeChain } from '../helpers/certificates.ts';
import { type HttpProxy, startHttpProxy } from '../helpers/http-proxy.ts';
import { applianceAt, startRelayProgram } from '../helpers/relay-program.ts';
import { keysOf } from './lib/box-keys.ts';
import { fakeTime } from './lib/fake-time.ts';
import type { ProofResult } from './promises.ts';

/** So far from the truth may the wall time of an entry be that claims to be trusted. */
const MAX_OFF_MS = 10_000;
/** A good check-in must come within this. */
const WITHIN_MS = 120_000;
const CHECKIN_MS = 1000;

/** As libfaketime writes them: the time at the start of the process, or an offset; the clock runs on from there. */
const YEARS_OFF = { '1970': '@1970-01-01 00:00:10', behind: '-400d', ahead: '+730d' } as const;
/** No certificate is out of date by these; only the relay says so. */
const LITTLE_OFF = {
  '1 h behind': '-1h',
  '10 min behind': '-10m',
  '10 min ahead': '+10m',
  '1 h ahead': '+1h',
} as const;
const WRONG = { ...YEARS_OFF, ...LITTLE_OFF } as const;
type Wrong = keyof typeof WRONG;
const RIGHT = '+0';

interface World {
  readonly dir: string;
  readonly front: HttpProxy;
  readonly chain: Chain;
  readonly rootKey: string;
  readonly staff: StaffClient;
  readonly clientId: string;
}

/**
 * The real appliance under libfaketime against a real relay behind TLS: claimed at first boot with a wrong clock, checked
 * in again after each reboot with another wrong one and after jumps while it runs, always with the keys it made first.
 * What it signs meanwhile is dated truly, or does not claim to be.
 */
export async function run({ full }: { full: boolean; seed: number }): Promise<ProofResult> {
  const dir = await mkdtemp(join(tmpdir(), 'sitewarden-t18-'));
  const systemCas = getCACertificates('default');
  const chain = await makeChain({ aroundMs: Date.now() });
  setDefaultCACertificates([...systemCas, chain.ca]);
  const front = await startHttpProxy(0, chain);
  let relay: Running | undefined;
  try {
    const made = await makeRelay({ dir, front, chain });
    relay = made.relay;
    const lives: readonly (readonly Wrong[])[] = full
      ? [
          ['1970', 'behind', 'ahead', '1970'],
          ['behind', '1970', 'ahead'],
          ['ahead', 'behind', '1970'],
          ['1 h ahead', '10 min behind', '1 h behind', '10 min ahead'],
          ['10 min behind', '1 h ahead'],
        ]
      : [
          ['1970', 'ahead', 'behind'],
          ['1 h ahead', '10 min behind'],
        ];
    const tally: Tally = { cases: 0, faults: [], slowestMs: 0 };
    for (const [index, life] of lives.entries()) await live(made.world, { index, life, tally });
    const { refused, asked, believed } = await withoutSignedTime(made.world);
    return {
      cases: tally.cases,
      failures: tally.faults.length,
      control: {
        expectedToFail: true,
        failed: refused === asked && believed === 0,
        detail: `a client that goes by its own clock reaches the relay in ${asked - refused} of ${asked} cases, and ${believed} of its entries pass`,
      },
      detail: tally.faults.slice(0, 5).join('; ') || `slowest check-in after ${Math.round(tally.slowestMs)} ms`,
    };
  } finally {
    await relay?.stop();
    await front.close();
    setDefaultCACertificates(systemCas);
    rmSync(dir, { recursive: true, force: true });
  }
}

async function makeRelay({ dir, front, chain }: Pick<World, 'dir' | 'front' | 'chain'>) {
  const { config, rootKey, relay } = await startRelayProgram({ dir, publicUrl: front.url, trustProxy: ['127.0.0.1'] });
  front.setTarget(Number(new URL(String(relay.ready.url)).port));
  const staff = await signIn(front.url, await makeSignInLink(config));
  const { id: clientId } = await staff.call<{ id: string }>('POST', '/api/clients', { name: 'Clinic' });
  return { relay, world: { dir, front, chain, rootKey, staff, clientId } satisfies World };
}

interface Tally {
  cases: number;
  readonly faults: string[];
  slowestMs: number;
}

/** One box from its first boot on. */
async function live(world: World, { index, life, tally }: { index: number; life: readonly Wrong[]; tally: Tally }) {
  const { dir, staff, clientId } = world;
  const beganMs = Date.now();
  const name = `Site ${index + 1}`;
  const site = await staff.call<{ id: string }>('POST', '/api/sites', {
    clientId,
    name,
    agentTier: 0,
    requiredServices: [],
  });
  const dataDir = join(dir, `box-${index}`);
  const clock = join(dir, `clock-${index}`);
  let keys: string | undefined;
  const check = async (what: string, work: () => Promise<void>) => {
    tally.cases += 1;
    const fromMs = performance.now();
    const before = await lastCheckin(world, site.id);
    try {
      await work();
      await waitFor(`a check-in (${what})`, async () => (await lastCheckin(world, site.id)) > before, WITHIN_MS, 100);
      tally.slowestMs = Math.max(tally.slowestMs, performance.now() - fromMs);
      const now = keysOf(dataDir);
      if (keys !== undefined && keys !== now) tally.faults.push(`${what}: a key was made anew`);
      keys = now;
    } catch (error) {
      tally.faults.push(`${what}: ${(error as Error).message}`);
    }
  };

  for (const [boot, wrong] of life.entries()) {
    writeFileSync(clock, WRONG[wrong]);
    const appliance = await startBox(world, { dataDir, clock });
    try {
      await check(`${name} boot ${boot + 1} at ${wrong}`, async () => {
        if (boot === 0) await claimBox(staff, site.id, appliance.localUrl);
      });
      const other = life[(boot + 1) % life.length] as Wrong;
      await check(`${name} jump from ${wrong} to ${other}`, async () => {
        writeFileSync(clock, WRONG[other]);
        await giveOrder(world, site.id);
      });
    } finally {
      await appliance.stop();
    }
  }
  tally.cases += 1;
  const said = timesIn(dataDir);
  if (said.filter(isTrusted).length < life.length)
    tally.faults.push(`${name}: only ${said.length} entries, few trusted`);
  const off = said.filter((entry) => !holds(entry, { fromMs: beganMs, toMs: Date.now() }));
  for (const { seq, wallTimeMs, timeQuality } of off)
    tally.faults.push(`${name}: entry ${seq} says ${new Date(wallTimeMs).toISOString()} (${timeQuality})`);
}

interface SaidTime {
  readonly seq: number;
  readonly wallTimeMs: number;
  readonly timeQuality: string;
}

/** When each entry of the box says it happened. */
function timesIn(dataDir: string): SaidTime[] {
  const db = new Database(join(dataDir, 'appliance.db'), { readonly: true });
  try {
    const rows = db.prepare('SELECT envelope FROM evidence_leaf WHERE envelope IS NOT NULL ORDER BY seq').pluck().all();
    return rows.map((envelope) => {
      const { payload } = JSON.parse(String(envelope)) as { payload: string };
      return (JSON.parse(Buffer.from(payload, 'base64').toString('utf8')) as { predicate: SaidTime }).predicate;
    });
  } finally {
    db.close();
  }
}

const isTrusted = ({ timeQuality }: SaidTime): boolean => timeQuality !== 'unsynced';

const holds = (entry: SaidTime, { fromMs, toMs }: { fromMs: number; toMs: number }): boolean =>
  !isTrusted(entry) || (entry.wallTimeMs >= fromMs - MAX_OFF_MS && entry.wallTimeMs <= toMs + MAX_OFF_MS);

/** An order leaves entries, whatever else happens at the site. */
async function giveOrder({ staff }: World, siteId: string): Promise<void> {
  const path = `/api/sites/${siteId}/orders`;
  const { id } = await staff.call<{ id: string }>('POST', path, { action: 'run_check' });
  const isOver = async () => {
    const { orders } = await staff.call<{ orders: { id: string; state: string }[] }>('GET', path);
    return !['queued', 'delivered', 'started'].includes(orders.find((order) => order.id === id)?.state ?? 'queued');
  };
  await waitFor('the end of an order', isOver, WITHIN_MS, 100);
}

function startBox({ front, chain, rootKey, dir }: World, { dataDir, clock }: { dataDir: string; clock: string }) {
  const caFile = join(dir, 'ca.pem');
  writeFileSync(caFile, chain.ca);
  return startAppliance({
    dataDir,
    relay: { url: front.url, rootKey, caFile },
    checkinIntervalMs: CHECKIN_MS,
    logLevel: 'warn',
    env: fakeTime(clock),
  });
}

async function lastCheckin({ staff }: World, siteId: string): Promise<number> {
  return (await applianceAt(staff, siteId))?.lastCheckinAtMs ?? 0;
}

/** The control: the same relay, the same wrong clocks, and a client that knows no signed time. */
async function withoutSignedTime({ dir, front }: World) {
  const clock = join(dir, 'clock-control');
  const { NODE_OPTIONS: _options, ...env } = process.env as Record<string, string>;
  let refused = 0;
  let believed = 0;
  for (const time of [RIGHT, ...Object.values(YEARS_OFF)]) {
    writeFileSync(clock, time);
    const text = `console.log(Date.now()); fetch(process.argv[1]).then((a) => process.exit(a.ok ? 0 : 2), () => process.exit(1))`;
    const all = { ...env, ...(fakeTime(clock) as Record<string, string>), NODE_EXTRA_CA_CERTS: join(dir, 'ca.pem') };
    const fromMs = Date.now();
    const { exitCode, stdout } = await runTool([process.execPath, '-e', text, `${front.url}/health`], { env: all });
    if (time === RIGHT && exitCode !== 0)
      throw new Error('the control does not reach the relay with the right clock either');
    if (exitCode === 1) refused += 1;
    const entry = { seq: 0, wallTimeMs: Number(stdout), timeQuality: 'relay' };
    if (time !== RIGHT && holds(entry, { fromMs, toMs: Date.now() })) believed += 1;
  }
  return { refused, asked: Object.keys(YEARS_OFF).length, believed };
}
