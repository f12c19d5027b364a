import { createPrivateKey, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import { runProgram } from '../../scripts/lib/programs.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { watchSite } from '../../scripts/start/progress.ts';
import { startAppliance } from '../helpers/appliance.ts';
import { readQr } from '../helpers/box.ts';
import type { Exchange } from '../helpers/http-proxy.ts';
import { declareDaemon, type System, startSystem } from '../helpers/system.ts';
import { formsOf, type Place, type Secret, search } from './lib/canaries.ts';
import { watchProcesses } from './lib/process-watch.ts';
import { check, newTally, type Tally } from './lib/tally.ts';
import type { ProofResult } from './promises.ts';

const KINDS = [
  'password',
  'sign-in link',
  'session cookie',
  'invite',
  'code of the partner',
  'typed code of the partner',
  'code of the box',
  'enrolment token',
  'check-in token',
  'key of the box',
  'key of the site CA',
  'key of the agent',
  'key of the relay',
] as const;
type Kind = (typeof KINDS)[number];

/** Where a secret of an exchange belongs; everywhere else it is a leak. */
const WIRE_HOMES: readonly { path: RegExp; part: 'url' | 'request' | 'answer'; kinds: readonly Kind[] }[] = [
  { path: /^\/api\/session$/, part: 'request', kinds: ['sign-in link'] },
  { path: /^\/api\/session\/password$/, part: 'request', kinds: ['password'] },
  { path: /^\/api\/users\/invite$/, part: 'answer', kinds: ['invite'] },
  // The users API asks for this form; the relay's log has the route in its place.
  { path: /^\/api\/users\/invite\/validate\//, part: 'url', kinds: ['invite'] },
  { path: /^\/api\/users\/invite\/accept$/, part: 'request', kinds: ['invite', 'password'] },
  {
    path: /^\/api\/provision\/codes$/,
    part: 'answer',
    kinds: ['code of the partner', 'typed code of the partner'],
  },
  { path: new RegExp(`^${BOX_PATHS.provisionStart}$`), part: 'answer', kinds: ['code of the box'] },
  // The box tells it to nobody but the relay whose key it has.
  { path: new RegExp(`^${BOX_PATHS.provisionClaim}$`), part: 'request', kinds: ['code of the partner'] },
  { path: /^\/api\/provision\/(lookup|sessions\/[^/]+\/claim)$/, part: 'request', kinds: ['code of the box'] },
  { path: new RegExp(`^${BOX_PATHS.checkin}$`), part: 'request', kinds: ['check-in token'] },
  { path: new RegExp(`^${BOX_PATHS.checkin}$`), part: 'answer', kinds: ['check-in token'] },
  // Where settings, orders and releases are asked for it is a header.
  { path: /^\/api\/appliances\/(orders|config|release|released|keys)$/, part: 'request', kinds: ['check-in token'] },
];

const FILE_HOMES: readonly { file: RegExp; kinds: readonly Kind[] }[] = [
  // Opens nothing: each check-in is signed. The relay must be able to give the same one again when an answer was lost.
  { file: /^relay\/relay\.db/, kinds: ['check-in token'] },
  { file: /^relay\/keys\//, kinds: ['key of the relay'] },
  { file: /^(appliance|second)\/identity\//, kinds: ['key of the box', 'key of the site CA'] },
  { file: /^(appliance|second)\/uplink(-copy)?\.json$/, kinds: ['check-in token'] },
  { file: /^agent\/identity\//, kinds: ['key of the agent'] },
];

/** A whole run of real programs that say all they can: what they leave behind holds no secret outside its home. */
export async function run({ full }: { full: boolean }): Promise<ProofResult> {
  const tally = newTally();
  const secrets: Secret[] = [];
  const lines: string[] = [];
  const exchanges: Exchange[] = [];
  const watch = watchProcesses();
  const folder = mkdtempSync(join(tmpdir(), 'sitewarden-services-'));
  const manager = await declareDaemon(folder, 'front-desk');
  await manager.start('front-desk');
  const system = await startSystem({
    requiredServices: ['front-desk'],
    pidfileDir: folder,
    logLevel: 'trace',
    onLine: (line) => lines.push(line),
    onExchange: (exchange) => exchanges.push(exchange),
  });
  const note = (kind: Kind, value: string | Uint8Array) => secrets.push({ kind, value });
  let places: Place[];
  try {
    await meetPeople(system, note);
    await enrolAgent(system, note);
    const site = watchSite(system.staff, system.siteId);
    await site.checks(6);
    await manager.stop('front-desk');
    await site.repaired('front-desk');
    note('check-in token', chainToken(join(system.base, 'appliance')));
    const said = [await claimSecond(system, note, (line) => lines.push(line)), ...(await askAround(system))];
    for (let round = 0; round < (full ? 5 : 1); round += 1) await killAll(system);
    note('check-in token', chainToken(join(system.base, 'appliance')));
    await Promise.all([system.agent?.stop(), system.appliance.stop(), system.relay.stop()]);
    for (const { kind, value } of keysUnder(system.base)) note(kind, value);
    for (const { kind, value } of wireSecrets(exchanges)) note(kind, value);
    places = [
      { name: 'the logs', bytes: Buffer.from(lines.join('\n')) },
      { name: 'arguments', bytes: Buffer.from([...watch.argv].join('\n'), 'latin1') },
      { name: 'environments', bytes: Buffer.from([...watch.environ].join('\n'), 'latin1') },
      ...said,
      ...exchanges.flatMap(placesOf),
      ...filesUnder(system.base),
    ];
  } finally {
    watch.stop();
    await system.close();
    await manager.stop('front-desk').catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  }
  judge(tally, secrets, places);
  const seen = new Set(search(secrets, places, true).map(({ kind }) => kind));
  return {
    cases: tally.cases,
    failures: tally.faults.length,
    control: {
      expectedToFail: true,
      failed: KINDS.every((kind) => seen.has(kind) || isNeverKept(kind)),
      detail: `where nothing is a home, ${seen.size} of ${KINDS.length} kinds are found`,
    },
    detail:
      [...new Set(tally.faults)].slice(0, 8).join('; ') ||
      `${secrets.length} secrets, ${places.length} places, ${lines.length} lines of log`,
  };
}

/** Given by hand and by file, and gone when they were used: nowhere to be found even by the control. */
const isNeverKept = (kind: Kind): boolean => kind === 'enrolment token';

function judge(tally: Tally, secrets: readonly Secret[], places: readonly Place[]): void {
  const leaks = new Set(search(secrets, places).map(({ kind, place, form }) => `${kind} in ${place} (${form})`));
  for (const kind of KINDS) {
    const ofKind = secrets.filter((secret) => secret.kind === kind);
    check(tally, ofKind.length > 0, `the run had no ${kind}`);
    for (const { value } of ofKind) {
      for (const [form, needle] of formsOf(value)) {
        const planted = { name: 'planted', bytes: Buffer.concat([randomBytes(64), needle, randomBytes(64)]) };
        check(tally, search([{ kind, value }], [planted]).length > 0, `${kind} as ${form} is overlooked`);
      }
    }
  }
  tally.cases += secrets.length * places.length;
  tally.faults.push(...leaks);
}

type Note = (kind: Kind, value: string | Uint8Array) => void;

/** An invite, a password, a sign-in that works, and what goes wrong around them. */
async function meetPeople({ staff, proxy }: System, note: Note): Promise<void> {
  const password = `correct horse ${randomBytes(9).toString('base64url')}`;
  note('password', password);
  const wish = { email: 'tech@clinic.example', name: 'Technician', role: 'operator' };
  const { url } = await staff.call<{ url: string }>('POST', '/api/users/invite', wish);
  const token = url.slice(url.indexOf('#') + 1);
  note('invite', token);
  const post = (path: string, body: string) =>
    fetch(new URL(path, proxy.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: proxy.url, 'x-sitewarden': '1' },
      body,
    }).then(async (answer) => ({ status: answer.status, text: await answer.text() }));
  await (await fetch(new URL(`/api/users/invite/validate/${token}`, proxy.url))).text();
  await post('/api/users/invite/accept', JSON.stringify({ token, password: `${password}\u0000` }));
  await post('/api/users/invite/accept', `{"token":"${token}","password":"${password}`);
  await post('/api/users/invite/accept', JSON.stringify({ token, password, surplus: 1 }));
  const accepted = await post('/api/users/invite/accept', JSON.stringify({ token, password }));
  if (accepted.status !== 200) throw new Error(`the invite was not accepted: ${accepted.text}`);
  await post('/api/users/invite/accept', JSON.stringify({ token, password }));
  for (const body of [
    JSON.stringify({ email: wish.email, password }),
    JSON.stringify({ email: 'nobody@clinic.example', password }),
    JSON.stringify({ email: wish.email, password: [password] }),
    `{"email":"${wish.email}","password":"${password}"`,
  ]) {
    await post('/api/session/password', body);
  }
}

async function enrolAgent(system: System, note: Note): Promise<void> {
  const file = join(system.base, 'agent-token.json');
  await runProgram('appliance', ['agents', 'token', '--config', system.appliance.configFile, '--out', file]);
  note('enrolment token', (JSON.parse(readFileSync(file, 'utf8')) as { token: string }).token);
  await system.startAgent();
  if (existsSync(file)) throw new Error('the agent left its token file behind');
}

/** A box that shows its code, claimed by it; the answer of its page afterwards. */
async function claimSecond(system: System, note: Note, onLine: (line: string) => void): Promise<Place> {
  const { staff, base, proxy } = system;
  const { relay } = JSON.parse(readFileSync(system.appliance.configFile, 'utf8')) as { relay: { rootKey: string } };
  const box = await startAppliance({
    dataDir: join(base, 'second'),
    relay: { url: proxy.url, rootKey: relay.rootKey },
    checkinIntervalMs: 1000,
    logLevel: 'trace',
    onLine,
  });
  try {
    type Status = { claim: { phase: string; claimUrl: string | null; number: string | null } };
    const page = async () => (await (await fetch(new URL('/api/local/status', box.localUrl))).json()) as Status;
    const { claimUrl, number } = await waitFor('the code of the box', async () => {
      const { claim } = await page();
      return claim.claimUrl !== null && claim.number !== null ? claim : undefined;
    });
    const scanned = readQr(claimUrl as string);
    note('code of the box', scanned.secret);
    const { clients } = await staff.call<{ clients: { id: string }[] }>('GET', '/api/clients');
    const wish = { clientId: clients[0]!.id, name: 'Second', agentTier: 0, requiredServices: [] };
    const { id: siteId } = await staff.call<{ id: string }>('POST', '/api/sites', wish);
    const { session } = await waitFor('the box with its number', async () => {
      type Found = { session: string; number: string | null };
      const found = await staff.call<Found>('POST', '/api/provision/lookup', scanned);
      return found.number === number ? found : undefined;
    });
    await staff.call('POST', `/api/provision/sessions/${session}/claim`, { ...scanned, siteId, number });
    await waitFor('the claim', async () => (await page()).claim.phase === 'done', 60_000, 100);
    return { name: 'the page of the second box', bytes: Buffer.from(JSON.stringify(await page())) };
  } finally {
    await box.stop();
  }
}

/** What programs and pages say to whoever asks. */
async function askAround({ appliance, staff, siteId }: System): Promise<Place[]> {
  const local = async (path: string) => await (await fetch(new URL(path, appliance.localUrl))).text();
  const cli = (command: string[]) =>
    runProgram('appliance', [...command, '--config', appliance.configFile]).catch((error: Error) => error.message);
  const texts: [string, string][] = [
    ['the page of the box', await local('/api/local/status')],
    ['the front page of the box', await local('/')],
    ['the doctor', await cli(['doctor', '--json'])],
    ['the list of agents', await cli(['agents', 'list', '--json'])],
    ['the audit trail', JSON.stringify(await staff.call('GET', `/api/sites/${siteId}/timeline?limit=100`))],
  ];
  return texts.map(([name, text]) => ({ name, bytes: Buffer.from(text) }));
}

/** All three die as in a power cut, and come back. */
async function killAll(system: System): Promise<void> {
  for (const program of [system.agent, system.appliance, system.relay]) {
    program?.kill('SIGKILL');
    await program?.exited;
  }
  await system.startRelay();
  await system.startAppliance();
  await system.startAgent();
  const before = chainToken(join(system.base, 'appliance'));
  await waitFor('a check-in', () => chainToken(join(system.base, 'appliance')) !== before, 60_000, 100);
}

function chainToken(dataDir: string): string {
  return (JSON.parse(readFileSync(join(dataDir, 'uplink.json'), 'utf8')) as { token: string }).token;
}

/** What only the wire shows: codes that were made, sessions that were opened, the link that opened one. */
function wireSecrets(exchanges: readonly Exchange[]): { kind: Kind; value: string }[] {
  return exchanges.flatMap(({ method, path, requestBody, answerHeaders, answerBody, status }) => {
    const found: { kind: Kind; value: string }[] = [];
    for (const cookie of answerHeaders['set-cookie'] ?? []) {
      const value = cookie.slice(cookie.indexOf('=') + 1).split(';')[0] ?? '';
      if (value.length > 16) found.push({ kind: 'session cookie', value });
    }
    if (method === 'POST' && path === '/api/session') {
      found.push({ kind: 'sign-in link', value: (JSON.parse(requestBody.toString()) as { token: string }).token });
    }
    if (method === 'POST' && path === '/api/provision/codes' && status === 201) {
      const made = JSON.parse(answerBody.toString()) as { url: string; typed: string };
      found.push({ kind: 'code of the partner', value: readQr(made.url).secret });
      found.push({ kind: 'typed code of the partner', value: made.typed });
    }
    return found;
  });
}

function placesOf(exchange: Exchange): Place[] {
  const path = exchange.path.split('?')[0] ?? '';
  const name = `${exchange.method} ${path.replaceAll(/[^/]{20,}/g, ':id')}`;
  const homeOf = (part: 'url' | 'request' | 'answer') =>
    WIRE_HOMES.filter((home) => home.part === part && home.path.test(path)).flatMap(({ kinds }) => kinds);
  const { cookie: _cookie, ...requestHeaders } = exchange.requestHeaders;
  const { 'set-cookie': _setCookie, ...answerHeaders } = exchange.answerHeaders;
  const wire = Buffer.from(JSON.stringify([exchange.requestHeaders.cookie, exchange.answerHeaders['set-cookie']]));
  return [
    { name: `the URL of ${name}`, bytes: Buffer.from(exchange.path), homeOf: homeOf('url') },
    { name: `the headers of ${name}`, bytes: Buffer.from(JSON.stringify([requestHeaders, answerHeaders])) },
    { name: `the cookies of ${name}`, bytes: wire, homeOf: ['session cookie'] },
    { name: `the request of ${name}`, bytes: exchange.requestBody, homeOf: homeOf('request') },
    { name: `the answer of ${name}`, bytes: exchange.answerBody, homeOf: homeOf('answer') },
  ];
}

function filesUnder(base: string): Place[] {
  return readdirSync(base, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const name = relative(base, path);
      const homeOf = FILE_HOMES.filter(({ file }) => file.test(name)).flatMap(({ kinds }) => kinds);
      return { name, bytes: readFileSync(path), homeOf };
    });
}

const KEY_KINDS: readonly [RegExp, Kind][] = [
  [/^relay\/keys\/.*\.(pem|secret)$/, 'key of the relay'],
  [/^(appliance|second)\/identity\/(dik|evk|server)\.pem$/, 'key of the box'],
  [/^(appliance|second)\/identity\/seal\.key$/, 'key of the box'],
  [/^(appliance|second)\/identity\/site-ca\.key\.pem$/, 'key of the site CA'],
  [/^agent\/identity\/identity\.json$/, 'key of the agent'],
];

/** The private scalar of each key, however its file is written. */
function keysUnder(base: string): { kind: Kind; value: string | Uint8Array }[] {
  return filesUnder(base).flatMap(({ name, bytes }) => {
    const kind = KEY_KINDS.find(([file]) => file.test(name))?.[1];
    if (kind === undefined) return [];
    const text = name.endsWith('.json')
      ? (JSON.parse(bytes.toString()) as { keyPem: string }).keyPem
      : bytes.toString();
    if (!text.includes('PRIVATE KEY')) {
      const raw = bytes.length === 32 ? bytes : Buffer.from(text.trim(), 'base64url');
      return [{ kind, value: new Uint8Array(raw) }];
    }
    const { d = '' } = createPrivateKey(text).export({ format: 'jwk' });
    // A long key is written in several lines, and no needle goes across their ends.
    const lines = text.split('\n').filter((line) => line.length === 64 && !line.includes('-'));
    return [
      { kind, value: new Uint8Array(Buffer.from(d, 'base64url')) },
      ...(lines.length > 1 ? lines.slice(1, 2).map((value) => ({ kind, value })) : []),
    ];
  });
}
