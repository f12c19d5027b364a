import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ORDER_ACTIONS, type OrderAction } from '@sitewarden/agent-proto/http';
import type { RelayConfig } from '../../relay/config/index.ts';
import { ROLES, type Role } from '../../relay/lib/roles.ts';
import { ROUTES, type RouteContract, type RouteName } from '../../relay/routes/contract/table.ts';
import type { Guard } from '../../relay/routes/register.ts';
import { TENANT_TABLES } from '../../relay/store/index.ts';
import { readQr, type TestBox } from '../helpers/box.ts';
import { postgresConfig, startPostgres } from '../helpers/postgres.ts';
import { giveAllSites, seedPartner, seedSite, startTestRelay, type TestRelay } from '../helpers/relay.ts';
import type { StaffClient } from '../helpers/staff-client.ts';
import type { ProofResult } from './promises.ts';

interface Tally {
  cases: number;
  readonly faults: string[];
}

function check(tally: Tally, isKept: boolean, fault: string): void {
  tally.cases += 1;
  if (!isKept) tally.faults.push(fault);
}

/** Roles default to deny: every route of the contract, by everyone, for the own tenant and for another one. */
export async function run({ full }: { full: boolean; seed: number }): Promise<ProofResult> {
  const tally: Tally = { cases: 0, faults: [] };
  await withWorld({}, (world) => proveAll(world, tally));
  if (full) await onPostgres((store) => withWorld({ store }, (world) => proveAll(world, tally)));
  const control: Tally = { cases: 0, faults: [] };
  await withWorld({ guard: () => {} }, (world) => proveAll(world, control));
  return {
    cases: tally.cases,
    failures: tally.faults.length,
    control: {
      expectedToFail: true,
      failed: control.faults.length > 0,
      detail: `without the guard ${control.faults.length} of ${control.cases} calls went wrong`,
    },
    detail:
      tally.faults.slice(0, 5).join('; ') || `${Object.keys(ROUTES).length} routes, everyone answered as labelled`,
  };
}

async function onPostgres(work: (store: RelayConfig['store']) => Promise<void>): Promise<void> {
  const server = await startPostgres();
  const folder = await mkdtemp(join(tmpdir(), 'sitewarden-t25-'));
  try {
    await work(await postgresConfig(await server.createDatabase(), folder));
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Company {
  readonly partnerId: string;
  readonly clientId: string;
  readonly siteId: string;
  readonly codeId: string;
  readonly receiptId: string;
  readonly session: string;
  readonly userId: string;
  readonly inviteId: string;
  readonly box: TestBox;
  readonly applianceId: string;
  readonly people: Readonly<Record<Role, StaffClient>>;
}

interface World {
  readonly relay: TestRelay;
  readonly own: Company;
  readonly other: Company;
  readonly stranger: TestBox;
  readonly revoked: TestBox;
}

async function withWorld(
  options: { guard?: Guard; store?: RelayConfig['store'] },
  work: (world: World) => Promise<void>,
): Promise<void> {
  const cleanups: (() => Promise<void>)[] = [];
  try {
    const relay = await startTestRelay((fn) => cleanups.push(fn), options);
    const own = await makeCompany(relay);
    const other = await makeCompany(relay);
    const spare = await seedSite(relay.store, own.partnerId, 'Spare');
    const { box: revoked } = await relay.claim(own.people.admin, spare.siteId);
    await relay.claim(own.people.admin, spare.siteId);
    await work({ relay, own, other, stranger: await relay.box(), revoked });
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

async function makeCompany(relay: TestRelay): Promise<Company> {
  const partnerId = await seedPartner(relay.store);
  const { clientId, siteId } = await seedSite(relay.store, partnerId);
  const people = Object.fromEntries(
    await Promise.all(ROLES.map(async (role) => [role, await relay.staff(partnerId, role)] as const)),
  ) as Record<Role, StaffClient>;
  await giveAllSites(relay.store, partnerId);
  // The first one leaves a receipt when the second one takes its place.
  await relay.claim(people.admin, siteId);
  const { box, applianceId } = await relay.claim(people.admin, siteId);
  const custody = await people.admin.call<{ receipts: { receiptId: string }[] }>('custody', { params: { siteId } });
  // Somebody the cases may change without changing who calls.
  const extra = await relay.staff(partnerId, 'readonly', 'Extra person');
  const me = await extra.call<{ id: string }>('me');
  const wish = { email: `${partnerId}@partner.example`, name: 'Kim', role: 'operator' };
  const invited = await people.admin.call<{ invite: { id: string } }>('createInvite', { body: wish });
  const code = await people.admin.call<{ code: { id: string } }>('createCode', { body: { siteId } });
  return {
    partnerId,
    clientId,
    siteId,
    codeId: code.body.code.id,
    receiptId: custody.body.receipts[0]?.receiptId ?? '',
    session: await waitingClaim(relay, siteId, people),
    userId: me.body.id,
    inviteId: invited.body.invite.id,
    box,
    applianceId,
    people,
  };
}

/** A claim that waits for its approval: taken by a technician. */
async function waitingClaim(relay: TestRelay, siteId: string, people: Company['people']): Promise<string> {
  const box = await relay.box();
  const { session, claimUrl } = (await box.start()).body;
  const { number } = (await box.status(session)).body;
  await people.technician.call('claimBox', { params: { session }, body: { ...readQr(claimUrl), siteId, number } });
  return session;
}

/** Names of path parameters, and where their values come from. A route with another one fails the proof. */
function paramsOf(route: RouteContract, company: Company): Record<string, string> {
  const values: Record<string, string> = {
    siteId: company.siteId,
    codeId: company.codeId,
    session: company.session,
    userId: company.userId,
    inviteId: company.inviteId,
    token: 'A'.repeat(43),
    receiptId: company.receiptId,
    seq: '0',
    name: 'ssh-root',
    agentId: `agt_${'a'.repeat(26)}`,
    groupId: `grp_${'a'.repeat(26)}`,
  };
  const names = [...route.url.matchAll(/:([A-Za-z]+)/g)].map(([, name]) => name as string);
  for (const name of names) if (values[name] === undefined) throw new Error(`no sample for the parameter ${name}`);
  return Object.fromEntries(names.map((name) => [name, values[name] as string]));
}

const NOBODYS_SECRET = { secret: 'AAAAAAAAAAAAAAAAAAAAAA', fingerprint: 'A'.repeat(43) };
let counter = 0;

/** A body that fits the schema and names things of `company`. A route with a body and no sample fails the proof. */
function bodyOf(name: RouteName, route: RouteContract, company: Company): unknown {
  if (route.body === undefined) return undefined;
  counter += 1;
  const samples: Partial<Record<RouteName, unknown>> = {
    signIn: { token: 'A'.repeat(43) },
    signInWithPassword: { email: `nobody-${counter}@partner.example`, password: 'a guess like any other' },
    acceptInvite: { token: 'A'.repeat(43), password: 'a password like any other' },
    changeOwnPassword: { next: 'short' },
    createInvite: {
      email: `person-${counter}@partner.example`,
      name: `Person ${counter}`,
      role: 'technician',
      siteIds: [company.siteId],
    },
    changeUser: { name: `Person ${counter}` },
    createClient: { name: `Clinic ${counter}` },
    createSite: { clientId: company.clientId, name: `Site ${counter}` },
    releaseQuarantine: { applianceId: company.applianceId },
    orderRelease: { applianceId: company.applianceId, reason: 'moved' },
    transferBox: { applianceId: `app_${'a'.repeat(26)}`, reason: 'T25', toSiteId: `site_${'a'.repeat(26)}` },
    setSecret: { value: 'T25' },
    cancelMove: { dikFingerprint: 'A'.repeat(43) },
    withdrawRelease: { releaseId: `rel_${'a'.repeat(26)}` },
    removeBox: { applianceId: `app_${'a'.repeat(26)}`, reason: 'lost' },
    findRearm: { number: '00000000' },
    rearmBox: { applianceId: `app_${'a'.repeat(26)}`, number: '00000000' },
    changeSite: { name: `Renamed ${counter}` },
    setAgentTier: { tier: 1 },
    setAgentTiers: { agentIds: [`agt_${'a'.repeat(26)}`], tier: 1 },
    createGroup: { name: `Group ${counter}`, tier: 1, agentIds: [] },
    changeGroup: { name: `Group ${counter}` },
    createOrder: { action: 'run_check' },
    createCode: { siteId: company.siteId },
    printLabels: { labels: [{ siteId: company.siteId, count: 1 }], ttlMinutes: 60, paper: 'a4' },
    codeOpened: { secret: NOBODYS_SECRET.secret },
    lookupClaim: NOBODYS_SECRET,
    claimBox: { ...NOBODYS_SECRET, siteId: company.siteId, number: '12345678' },
    approveClaim: { number: '00000000' },
  };
  if (!Object.hasOwn(samples, name)) throw new Error(`no sample body for the route ${name}`);
  return samples[name];
}

const isForStaff = (route: RouteContract) => Array.isArray(route.access);
const isForBoxes = (route: RouteContract) => route.access === 'box' || route.access === 'newBox';

async function proveAll(world: World, tally: Tally): Promise<void> {
  for (const [name, route] of Object.entries(ROUTES) as [RouteName, RouteContract][]) {
    if (name === 'createOrder') {
      for (const action of ORDER_ACTIONS) await proveStaffRoute(world, { name, route, tally, body: orderBody(action) });
    } else if (isForStaff(route)) await proveStaffRoute(world, { name, route, tally });
    else if (isForBoxes(route)) await proveBoxRoute(world, { name, route, tally });
    else await proveOpenRoute(world, { name, route, tally });
  }
}

/** Every action that staff can order, of an agent that is not there. */
function orderBody(action: OrderAction): unknown {
  if (action === 'run_check') return { action };
  const params: Partial<Record<OrderAction, object>> = {
    restart_service: { service: 'cron' },
    start_service: { service: 'cron' },
    screenlock_policy: { idle_seconds: 600 },
    security_updates_install: { window_start_ms: Date.now(), window_end_ms: Date.now() + 3_600_000 },
    update_agent: { version: '9.9.9', dry_run: true },
    undo: { order_id: `ord_${'a'.repeat(26)}` },
  };
  return { action, agentId: `agt_${'a'.repeat(26)}`, ...(params[action] && { params: params[action] }) };
}

interface Case {
  readonly name: RouteName;
  readonly route: RouteContract;
  readonly tally: Tally;
  /** Instead of the sample of the route. */
  readonly body?: unknown;
}

interface Called {
  readonly status: number;
  readonly code: string;
  readonly text: string;
}

/** Streams are only opened: what matters is whether they are. */
async function call(
  { client, url, company }: { client: StaffClient | undefined; url: string; company: Company },
  { name, route, body: given }: Case,
): Promise<Called> {
  const path = route.url.replaceAll(/:([A-Za-z]+)/g, (_, key: string) => paramsOf(route, company)[key] ?? '');
  const body = given ?? bodyOf(name, route, company);
  const response = await fetch(`${url}${path}`, {
    method: route.method,
    headers: {
      ...(client?.cookie === undefined ? {} : { cookie: client.cookie }),
      ...(route.method === 'GET' ? {} : { 'x-sitewarden': '1', origin: url }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (route.response === 'text/event-stream' && response.ok) {
    await response.body?.cancel();
    return { status: response.status, code: '', text: '' };
  }
  const text = await response.text();
  const isError = !response.ok && response.headers.get('content-type')?.startsWith('application/json') === true;
  return { status: response.status, code: isError ? (JSON.parse(text) as { code: string }).code : '', text };
}

async function proveStaffRoute({ relay, own, other }: World, one: Case): Promise<void> {
  const { name, route, tally } = one;
  const nobody = await call({ client: undefined, url: relay.url, company: own }, one);
  check(tally, nobody.status === 401 && nobody.code === 'UNAUTHENTICATED', `${name}: nobody got ${nobody.status}`);
  const forged = { cookie: `sitewarden_session=${'A'.repeat(43)}` } as StaffClient;
  const guess = await call({ client: forged, url: relay.url, company: own }, one);
  check(tally, guess.status === 401, `${name}: a guessed session got ${guess.status}`);
  const signed = await sendAsBox({ box: own.box, relayUrl: relay.url, company: own }, one);
  check(tally, signed.status === 401, `${name}: a box got ${signed.status}`);

  const allowed = route.access as readonly Role[];
  // The most powerful last: what it changes must not hide what the others may.
  for (const role of [...ROLES].reverse()) {
    // Signing out would end the session of the cases after it.
    const client = name === 'signOut' ? await relay.staff(own.partnerId, role) : own.people[role];
    if (!allowed.includes(role)) {
      const answer = await call({ client: client, url: relay.url, company: own }, one);
      check(tally, answer.status === 403 && answer.code === 'FORBIDDEN', `${name}: ${role} got ${answer.status}`);
    }
    await proveForeign({ relay, client, role, other }, one);
    if (allowed.includes(role)) {
      const answer = await call({ client: client, url: relay.url, company: own }, one);
      const isLetIn = answer.status < 500 && answer.status !== 401 && answer.status !== 403;
      check(tally, isLetIn, `${name}: ${role} was refused with ${answer.status} ${answer.code}`);
    }
  }
}

/** Things of another company do not exist, whoever asks, and stay as they are. */
async function proveForeign(
  { relay, client, role, other }: { relay: TestRelay; client: StaffClient; role: Role; other: Company },
  one: Case,
): Promise<void> {
  const { name, route, tally } = one;
  if (name === 'signOut') return;
  const before = await snapshot(relay, other.partnerId);
  const answer = await call({ client: client, url: relay.url, company: other }, one);
  const isAddressed = route.url.includes(':') || JSON.stringify(bodyOf(name, route, other) ?? '').includes('_');
  if (isAddressed)
    check(tally, answer.status >= 400 && answer.status < 500, `${name}: ${role} reached another company`);
  const { partnerId, clientId, siteId, codeId, receiptId, session, userId, inviteId } = other;
  const leaked = [partnerId, clientId, siteId, codeId, receiptId, session, userId, inviteId].filter((id) =>
    answer.text.includes(id),
  );
  check(tally, leaked.length === 0, `${name}: ${role} was told ${leaked.join(', ')}`);
  check(tally, (await snapshot(relay, other.partnerId)) === before, `${name}: ${role} changed another company`);
}

/** All rows of a company but the sessions, which its own people touch. */
async function snapshot(relay: TestRelay, partnerId: string): Promise<string> {
  return relay.store.inTenant(partnerId, async (trx) => {
    const all: unknown[] = [];
    for (const table of TENANT_TABLES) {
      if (table !== 'staff_session')
        all.push(
          await trx
            .selectFrom(table as 'site')
            .selectAll()
            .execute(),
        );
    }
    return JSON.stringify(all);
  });
}

async function sendAsBox(
  { box, relayUrl, company }: { box: TestBox; relayUrl: string; company: Company },
  { name, route }: Case,
): Promise<Called> {
  const path = route.url.replaceAll(/:([A-Za-z]+)/g, (_, key: string) => paramsOf(route, company)[key] ?? '');
  const raw = route.consumes !== undefined || isForBoxes(route) ? boxBody(route) : staffBody(name, route, company);
  const answer = await box.send<{ code?: string } | string>(path, {
    method: route.method,
    ...(raw === undefined ? {} : { raw, contentType: route.consumes ?? 'application/json' }),
    tamper: (headers) => {
      headers['x-sitewarden'] = '1';
      headers.origin = relayUrl;
    },
  });
  const code = typeof answer.body === 'string' ? '' : (answer.body.code ?? '');
  return { status: answer.status, code, text: JSON.stringify(answer.body) };
}

const boxBody = (route: RouteContract) => (route.method === 'GET' ? undefined : '{}');

function staffBody(name: RouteName, route: RouteContract, company: Company): string | undefined {
  const body = bodyOf(name, route, company);
  return body === undefined ? undefined : JSON.stringify(body);
}

/** Who the caller is comes before what it says: a claimed box is let in and then told that its body is wrong. */
async function proveBoxRoute({ relay, own, stranger, revoked }: World, one: Case): Promise<void> {
  const { name, route, tally } = one;
  const url = `${relay.url}${route.url}`;
  const unsigned = await fetch(url, {
    method: route.method,
    ...(route.method === 'GET'
      ? {}
      : { body: '{}', headers: { 'content-type': route.consumes ?? 'application/json' } }),
  });
  const refusal = (await unsigned.json()) as { code: string };
  check(
    tally,
    unsigned.status === 401 && refusal.code === 'SIGNATURE_MISSING',
    `${name}: unsigned got ${unsigned.status}`,
  );
  for (const role of ROLES) {
    const answer = await fetch(url, {
      method: route.method,
      headers: {
        cookie: own.people[role].cookie ?? '',
        'x-sitewarden': '1',
        origin: relay.url,
        ...(route.method === 'GET' ? {} : { 'content-type': route.consumes ?? 'application/json' }),
      },
      ...(route.method === 'GET' ? {} : { body: '{}' }),
    });
    await answer.text();
    check(tally, answer.status === 401, `${name}: ${role} got ${answer.status}`);
  }
  if (route.access === 'newBox') {
    // Without a key or a session in the body there is nobody to be.
    const answer = await sendAsBox({ box: stranger, relayUrl: relay.url, company: own }, one);
    check(tally, answer.status === 400, `${name}: a box without a name got ${answer.status}`);
    return;
  }
  const unknown = await sendAsBox({ box: stranger, relayUrl: relay.url, company: own }, one);
  check(
    tally,
    unknown.status === 401 && unknown.code === 'APPLIANCE_UNKNOWN',
    `${name}: a stranger got ${unknown.status}`,
  );
  const old = await sendAsBox({ box: revoked, relayUrl: relay.url, company: own }, one);
  check(tally, old.status === 403 && old.code === 'APPLIANCE_REPLACED', `${name}: a revoked box got ${old.status}`);
  const answer = await sendAsBox({ box: own.box, relayUrl: relay.url, company: own }, one);
  const isLetIn = answer.status < 500 && answer.status !== 401 && answer.status !== 403;
  check(tally, isLetIn, `${name}: the claimed box got ${answer.status} ${answer.code}`);
}

/** What a guess is told at each way in. */
const REFUSALS: Partial<Record<RouteName, string>> = {
  signIn: 'SIGN_IN_LINK_INVALID',
  signInWithPassword: 'SIGN_IN_FAILED',
  greetInvited: 'INVITE_INVALID',
  acceptInvite: 'INVITE_INVALID',
};

async function proveOpenRoute({ relay, own, other }: World, one: Case): Promise<void> {
  const { name, route, tally } = one;
  for (const client of [undefined, ...Object.values(own.people)]) {
    const answer = await call({ client: client, url: relay.url, company: own }, one);
    // Who may come in there is decided by each CONNECT; without a WebSocket there is nothing to come into.
    const isOpen = name === 'wake' ? answer.code === 'UPGRADE_REQUIRED' : answer.status === 200;
    const isAsLabelled = route.access === 'public' ? isOpen : answer.status === 401 && answer.code === REFUSALS[name];
    check(tally, isAsLabelled, `${name}: answered ${answer.status} ${answer.code}`);
    const leaked = [own, other].some(
      ({ partnerId, siteId }) => answer.text.includes(partnerId) || answer.text.includes(siteId),
    );
    check(tally, !leaked, `${name}: names a company`);
  }
}
