import { newId } from '@sitewarden/kit/ids';
import fc from 'fast-check';
import t from 'tap';
import { createAssess } from '../../../appliance/assess/index.ts';
import { html } from '../../../appliance/local/page/html.ts';
import { agents, devices, noteLoss, noteTurn, reports } from '../../../appliance/store/index.ts';
import { START_MS } from '../../helpers/appliance-context.ts';
import { CLAIMED, localPage } from '../../helpers/local-page.ts';
import { checkResult, encodeReport } from '../../helpers/reports.ts';

const get = async (url: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(url, { headers });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
};

t.test('an unclaimed box shows who it is, the QR code, the number and what to do', async (t) => {
  const { url } = await localPage(t);
  const { status, text, headers } = await get(url);
  t.equal(status, 200);
  t.equal(headers.get('content-type'), 'text/html; charset=utf-8');
  t.match(text, /This box belongs to no site yet/);
  t.match(text, /SW-0042/);
  t.match(text, /<svg[^>]*viewBox/);
  t.match(text, /https:\/\/relay\.example\.com\/claim#v1\.Zm9v/);
  t.match(text, /4821 0967/);
  t.match(text, /valid for another 9 min/);
  t.match(text, /<form method="post" action="\/claim"/);
});

t.test('the way to the relay is told line by line, with what to do', async (t) => {
  const { url, said } = await localPage(t);
  const doctor = [
    { name: 'dns', state: 'ok', code: null, text: 'relay.example.com is 198.51.100.7.' },
    {
      name: 'tcp',
      state: 'failed',
      code: 'PORT_BLOCKED',
      text: 'Port 443 is closed. Open it on the firewall of the site.',
    },
    { name: 'tls', state: 'skipped', code: null, text: 'Needs TCP first.' },
  ] as const;
  said.claim = { ...said.claim, phase: 'no_relay', claimUrl: null, number: null, doctor };
  const { text } = await get(url);
  t.match(text, /DNS.*Fine.*TCP.*Failed.*Open it on the firewall.*TLS.*Skipped/s);
});

t.test('a claimed box names its site and shows no code', async (t) => {
  const { url, said } = await localPage(t);
  said.claim = CLAIMED;
  said.uplink = { ...said.uplink, state: 'ok', lastCheckinAtMs: START_MS - 20_000 };
  said.agents = [agent({ connected: true })];
  const { text } = await get(url);
  t.match(text, /All is well at Lakeside Dental/);
  t.match(text, /looked after by Northwind IT/);
  t.match(text, /by Dana Field/);
  t.match(text, /20 s ago/);
  t.match(text, /<a href="\/install\/agent">Install the agent/);
  t.notMatch(text, /<form/);
  t.notMatch(text, /Number to compare/);
});

function agent(change: object) {
  return {
    id: newId('agt'),
    hostname: 'front-desk',
    osFamily: 'linux',
    osVersion: 'Debian 12',
    agentVersion: '0.1.0',
    tier: 1 as const,
    connected: false,
    enrolledAtMs: START_MS,
    lastHeartbeatAtMs: START_MS - 5000,
    ...change,
  };
}

t.test('incidents, workstations, devices and queues are shown from their rows', async (t) => {
  const { ctx, url, said } = await localPage(t);
  said.claim = CLAIMED;
  const error = { code: 'RELAY_UNREACHABLE', message: 'The relay did not answer. Check the network.', atMs: START_MS };
  said.uplink = { ...said.uplink, state: 'retrying', lastCheckinAtMs: START_MS - 600_000, lastError: error };
  said.lanes.telemetry = { depth: 12, oldestAgeMs: 90_000 };
  said.evidence = { epoch: 1, size: 7, cosignedSize: 5, lastEntryAtMs: START_MS - 1000, waiting: 0, isHalted: false };
  const source = newId('agt');
  const host = { hostname: 'front-desk', osFamily: 'linux', osVersion: 'Debian 12', agentVersion: '0.1.0' };
  agents.insert(ctx.db, { id: source, host, tier: 0, enrolledAtMs: START_MS });
  said.agents = [agent({ id: source })];
  const body = encodeReport(1, [checkResult({ collectedAtMs: START_MS - 60_000 })]);
  reports.insert(ctx.db, { source, seq: 1, receivedAtMs: START_MS, body });
  await createAssess(ctx).settle();
  devices.put(ctx.db, {
    id: newId('dev'),
    network: '192.168.7.0/24',
    mac: '02:00:00:00:00:0a',
    addresses: ['192.168.7.10'],
    name: 'printer',
    services: ['_ipp._tcp'],
    probes: ['mdns'],
    firstSeenMs: START_MS,
    lastSeenMs: START_MS,
  });

  const { text } = await get(url);
  t.match(text, /No contact with the relay for 10 min/);
  t.match(text, /Nothing is lost: 12 rows wait here/);
  t.match(text, /RELAY_UNREACHABLE/);
  t.match(
    text,
    /The required service cron is not running.*Open.*The workstation says: cron is stopped.*Next:.*Start cron on front-desk and look at its log\./s,
  );
  t.match(text, /telemetry<\/th><td>12<\/td><td>1 min/);
  t.match(text, /front-desk.*Away.*1 check failing/s);
  t.match(text, /2 entries not yet cosigned/);
  t.match(text, /printer.*192\.168\.7\.10, 02:00:00:00:00:0a, _ipp\._tcp/s);

  const status = JSON.parse((await get(`${url}/api/local/status`)).text);
  t.match(status, {
    headline: { tone: 'warn' },
    identity: { serial: 'SW-0042' },
    incidents: { openTotal: 1, open: [{ check: 'services', subject: 'cron' }] },
    agents: { total: 1, connected: 0, failing: 1, list: [{ failing: 1 }] },
    devices: { total: 1 },
    lanes: { telemetry: { depth: 12 } },
  });
  t.match(JSON.parse((await get(`${url}/api/local/agents`)).text), {
    agents: [{ hostname: 'front-desk', failing: 1 }],
  });
});

t.test('what is known to be missing is told with its cause, and that nothing is', async (t) => {
  const { ctx, url, said } = await localPage(t);
  said.claim = CLAIMED;
  t.match((await get(url)).text, /Nothing is known to be missing\./);
  const loss = { what: 'telemetry', code: 'DISK_FULL', text: 'x' } as const;
  noteLoss(ctx.db, { ...loss, count: 7, atMs: START_MS - 60_000 });
  noteLoss(ctx.db, { ...loss, count: 5, atMs: START_MS - 20_000 });
  noteLoss(ctx.db, { what: 'database', code: 'DATABASE_DAMAGED', count: null, text: 'x', atMs: START_MS });
  const { text } = await get(url);
  t.match(text, /Known to be missing.*database.*1 time<.*in a damaged file, which is kept aside/s);
  t.match(text, /telemetry.*12 rows.*left out, the disk was short.*20 s ago/s);
  t.match(JSON.parse((await get(`${url}/api/local/status`)).text).losses[1], { events: 2, rows: 12 });
});

t.test('what strangers call themselves is shown as text, whatever it is', async (t) => {
  const { ctx, url, said } = await localPage(t);
  said.claim = CLAIMED;
  const evil = `"><img src=x onerror=alert(1)></details><script>alert(2)</script>'`;
  said.agents = [agent({ hostname: evil })];
  devices.put(ctx.db, {
    id: newId('dev'),
    network: evil,
    mac: null,
    addresses: [evil],
    name: evil,
    services: [evil],
    probes: [],
    firstSeenMs: 0,
    lastSeenMs: 0,
  });
  const { text } = await get(url);
  t.notMatch(text, /<img/);
  t.equal(text.match(/<script>/g)?.length, 1);
  t.match(text, /&lt;script&gt;alert\(2\)/);
});

t.test('no text put into a template leaves its place', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const { text } = html`<p title="${value}">${value}</p>`;
      const [, title, body] = /^<p title="([^"<>']*)">([^<>"']*)<\/p>$/s.exec(text) ?? [];
      return title !== undefined && title === body;
    }),
  );
  t.pass();
});

t.test('it allows one script, one style and nothing from elsewhere', async (t) => {
  const { url } = await localPage(t);
  const { headers, text } = await get(url);
  const csp = headers.get('content-security-policy') ?? '';
  t.match(csp, /default-src 'none'/);
  t.match(csp, /script-src 'sha256-[A-Za-z0-9+/=]+';?/);
  t.notMatch(csp, /unsafe|https?:|\*|upgrade-insecure/);
  t.equal(headers.get('x-frame-options'), 'DENY');
  t.equal(headers.get('x-content-type-options'), 'nosniff');
  t.equal(headers.get('cache-control'), 'no-store');
  t.equal(headers.get('strict-transport-security'), null);
  t.notMatch(text, /(src|href)="(https?:)?\/\//);
  t.notMatch(text, / style=| on[a-z]+=/);
});

t.test('an unknown address is a page for people and a code for programs', async (t) => {
  const { url } = await localPage(t);
  const page = await get(`${url}/nothing`, { accept: 'text/html' });
  t.equal(page.status, 404);
  t.match(page.text, /There is nothing here.*Back to the box/s);
  t.match(JSON.parse((await get(`${url}/api/nothing`, { accept: 'text/html' })).text), { code: 'LOCAL_NOT_FOUND' });
});

t.test('it never says all is cosigned while changes wait, and names the stage that is stuck', async (t) => {
  const { ctx, said, url } = await localPage(t);
  said.claim = CLAIMED;
  said.evidence = { ...said.evidence, size: 7, cosignedSize: 7 };
  t.match((await get(url)).text, /All cosigned/);
  said.evidence = { ...said.evidence, waiting: 3 };
  const waiting = await get(url);
  t.notMatch(waiting.text, /All cosigned/);
  t.match(waiting.text, /3 changes not yet written/);
  said.evidence = { ...said.evidence, isHalted: true };
  t.match((await get(url)).text, /Stands still/);

  const monotonicMs = performance.now();
  for (const agoMs of [60_000, 40_000, 10_000]) {
    noteTurn(ctx.db, 'evidence', { isGood: false, monotonicMs: monotonicMs - agoMs });
  }
  t.strictSame(JSON.parse((await get(`${url}/health`)).text), { ok: false, stuck: ['evidence'] });
  t.match((await get(url)).text, /Evidence is not written for 1 min/);
  noteTurn(ctx.db, 'evidence', { isGood: true, monotonicMs });
  t.match(JSON.parse((await get(`${url}/health`)).text), { ok: true });
});

t.test('it tells no device seen from nowhere looked', async (t) => {
  const { said, url } = await localPage(t);
  t.match((await get(url)).text, /No device has been seen on the network yet/);
  said.discovery = { isEnabled: true, networks: [], interfaces: undefined };
  t.match((await get(url)).text, /No private network to look at; set discovery\.interfaces/);
  said.discovery = { isEnabled: true, networks: [], interfaces: ['eth7'] };
  t.match((await get(url)).text, /none of discovery\.interfaces has an IPv4 address/);
  said.discovery = { isEnabled: false, networks: [], interfaces: undefined };
  t.match((await get(url)).text, /discovery\.enabled is false/);
});

t.test('health and metrics answer', async (t) => {
  const { url } = await localPage(t);
  t.strictSame(JSON.parse((await get(`${url}/health`)).text), { ok: true, stuck: [] });
  t.match((await get(`${url}/metrics`)).text, /^# HELP sitewarden_appliance_/m);
  t.match((await get(`${url}/icon.svg`)).headers.get('content-type'), 'image/svg+xml');
});
