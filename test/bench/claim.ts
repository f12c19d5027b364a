import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENTRIES, type Running, startProgram } from '../../scripts/lib/programs.ts';
import { makeSignInLink } from '../../scripts/lib/relay-setup.ts';
import { type StaffClient, signIn } from '../../scripts/lib/staff-client.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { startAppliance } from '../helpers/appliance.ts';
import { readQr, TestBox } from '../helpers/box.ts';
import { freePort } from '../helpers/free-port.ts';
import { startRelayProgram } from '../helpers/relay-program.ts';
import type { Figure } from './benches.ts';
import type { HttpLoad, HttpLoadResult } from './children/http-load.ts';
import { startChild } from './lib/child.ts';
import { median, rounded } from './lib/figures.ts';
import { rssMb } from './lib/process-stat.ts';
import { makeRelayFolder, nextCheckin, requestBytes } from './lib/relay-boxes.ts';

const ROUNDS = 5;
const BOXES_AT_ONCE = 1000;
const KNOWN = { few: 100, many: 10_100 };
const CHECKINS = 2 * KNOWN.many;
const CONNECTIONS = 32;

interface World {
  readonly dir: string;
  readonly url: string;
  readonly rootKey: string;
  readonly staff: StaffClient;
  readonly clientId: string;
}

interface Steps {
  readonly lookedUpMs: number;
  readonly claimedMs: number;
  readonly configuredMs: number;
  readonly checkedInMs: number;
}

/** Real relay and real boxes as processes on loopback; what people do between the steps takes no time. */
export async function run(): Promise<Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), 'sitewarden-bench-'));
  let relay: Running | undefined;
  try {
    const started = await startRelay(dir);
    relay = started.relay;
    const rounds: Steps[] = [];
    for (let round = 0; round < ROUNDS; round += 1) rounds.push(await claimOne(started.world, round));
    const of = (key: keyof Steps) => Math.round(median(rounds.map((one) => one[key])));
    const steps = `box found ${of('lookedUpMs')} ms, claimed ${of('claimedMs')} ms, configured ${of('configuredMs')} ms`;
    const storm = await claimAtOnce(started.world);
    await relay.stop();
    relay = undefined;
    const [few, many] = [await memoryOf(KNOWN.few), await memoryOf(KNOWN.many)];
    return [
      {
        name: 'claim',
        value: rounded(of('checkedInMs') / 1000),
        unit: 's',
        control: null,
        ratio: null,
        note: `scan to first check-in; since the scan: ${steps}; ${ROUNDS} rounds`,
      },
      {
        name: 'claim-storm',
        value: rounded(BOXES_AT_ONCE / storm.seconds),
        unit: 'claims/s',
        control: null,
        ratio: null,
        note: `${BOXES_AT_ONCE} boxes at once: ${storm.claimed} claimed, ${storm.errors} errors, p99 ${Math.round(storm.p99Ms)} ms`,
      },
      {
        name: 'claim-memory',
        value: rounded(many - few),
        unit: 'MB',
        control: rounded(few),
        ratio: rounded(many / few),
        note: `RSS of a relay that heard ${KNOWN.many} boxes less that of one that heard ${KNOWN.few} as often; ratio: the one against the other`,
      },
    ];
  } finally {
    await relay?.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function startRelay(dir: string): Promise<{ relay: Running; world: World }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const limits = { requestsPerMinute: 1_000_000, claimsPerMinute: 1_000_000, signInsPerMinute: 1000 };
  const { config, rootKey, relay } = await startRelayProgram({ dir, publicUrl: url, port, limits });
  const staff = await signIn(url, await makeSignInLink(config));
  const { id: clientId } = await staff.call<{ id: string }>('POST', '/api/clients', { name: 'Clinic' });
  return { relay, world: { dir, url, rootKey, staff, clientId } };
}

async function makeSite({ staff, clientId }: World, name: string): Promise<string> {
  const wish = { clientId, name, agentTier: 0, requiredServices: [] };
  return (await staff.call<{ id: string }>('POST', '/api/sites', wish)).id;
}

interface BoxPage {
  readonly claim: { readonly claimUrl: string | null; readonly number: string | null };
}

/** The box shows its code; an admin scans it, compares the number, picks the site. */
async function claimOne(world: World, round: number): Promise<Steps> {
  const { dir, url, rootKey, staff } = world;
  const siteId = await makeSite(world, `Site ${round}`);
  const box = await startAppliance({ dataDir: join(dir, `box-${round}`), relay: { url, rootKey }, logLevel: 'warn' });
  try {
    const { claimUrl, number } = await waitFor('the code of the box', async () => {
      const page = (await (await fetch(new URL('/api/local/status', box.localUrl))).json()) as BoxPage;
      return page.claim.claimUrl !== null && page.claim.number !== null ? page.claim : undefined;
    });
    const scanned = readQr(claimUrl as string);
    const fromMs = performance.now();
    const since = () => performance.now() - fromMs;
    // The relay shows the number once the box has revealed its nonce, and people compare the two.
    const { session } = await waitFor('the box with its number', async () => {
      const seen = await staff.call<{ session: string; number: string | null }>(
        'POST',
        '/api/provision/lookup',
        scanned,
      );
      return seen.number === number ? seen : undefined;
    });
    const lookedUpMs = since();
    await staff.call('POST', `/api/provision/sessions/${session}/claim`, { ...scanned, siteId, number });
    const claimedMs = since();
    const progress = async () =>
      (
        await staff.call<{ progress: { acknowledged: boolean; firstCheckin: boolean } }>(
          'GET',
          `/api/provision/sessions/${session}`,
        )
      ).progress;
    await waitFor('the configuration on the box', async () => (await progress()).acknowledged, 60_000, 10);
    const configuredMs = since();
    await waitFor('the first check-in', async () => (await progress()).firstCheckin, 60_000, 10);
    return { lookedUpMs, claimedMs, configuredMs, checkedInMs: since() };
  } finally {
    await box.stop();
  }
}

/** Each has a code of its own site that needs no approval, and all present theirs at the same moment. */
async function claimAtOnce(world: World) {
  const { url, staff } = world;
  const made: { box: TestBox; secret: string }[] = [];
  for (let index = 0; index < BOXES_AT_ONCE; index += 1) {
    const siteId = await makeSite(world, `Storm ${index}`);
    const code = { siteId, preApproved: true, ttlMinutes: 10 };
    const answer = await staff.call<{ url: string }>('POST', '/api/provision/codes', code);
    made.push({ box: await TestBox.make(url), secret: readQr(answer.url).secret });
  }
  const fromMs = performance.now();
  const answers = await Promise.all(
    made.map(async ({ box, secret }) => {
      const status = await box.presentQr(secret).then(
        (answer) => (answer.body.grant === undefined ? 0 : answer.status),
        () => 0,
      );
      return { status, ms: performance.now() - fromMs };
    }),
  );
  const seconds = (performance.now() - fromMs) / 1000;
  const claimed = answers.filter(({ status }) => status === 200).length;
  const times = answers.map(({ ms }) => ms).sort((a, b) => a - b);
  const p99Ms = times[Math.floor(times.length * 0.99)] ?? 0;
  return { seconds, claimed, errors: answers.length - claimed, p99Ms };
}

/** RSS of a relay after as many check-ins, by so many boxes: at first it reads each from the store, then it knows it. */
async function memoryOf(count: number): Promise<number> {
  const folder = await makeRelayFolder(count);
  const configFile = join(folder.config.dataDir, 'relay.yaml');
  writeFileSync(configFile, folder.configText);
  const args = ['serve', '--config', configFile, '--ready-json'];
  const relay = await startProgram({ name: 'relay', entry: ENTRIES.relay, args });
  const { child: client } = await startChild<HttpLoad, HttpLoadResult>('http-load.ts');
  try {
    const port = Number(new URL(String(relay.ready.url)).port);
    for (let sent = 0; sent < CHECKINS; sent += count) {
      const checkins = folder.boxes.map((box) => nextCheckin(box, 'http://relay.bench'));
      const { answers } = await client.ask({ port, connections: CONNECTIONS, requests: checkins.map(requestBytes) });
      for (const [index, { box }] of checkins.entries()) {
        box.token = (JSON.parse(answers[index]!) as { token: string }).token;
      }
    }
    // What the load left behind is collected before it is weighed.
    await new Promise((resolve) => setTimeout(resolve, 5000));
    return rssMb(relay.pid);
  } finally {
    await client.stop();
    await relay.stop();
    folder.remove();
  }
}
