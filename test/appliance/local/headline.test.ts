import type { IncidentRow, IncidentState } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import t from 'tap';
import { type HeadlineInput, headlineOf } from '../../../appliance/local/headline.ts';
import { CLAIM_PHASES } from '../../../appliance/local/services.ts';
import { ago, bytes, span } from '../../../appliance/local/words.ts';
import { isStuck } from '../../../appliance/store/index.ts';
import { CLAIMED, SHOWING, sayings } from '../../helpers/local-page.ts';

const NOW = Date.UTC(2026, 2, 1);
const MIN = 60_000;

function status(change: Partial<HeadlineInput> = {}): HeadlineInput {
  const { discovery, evidence, lanes, laneFaults, uplink, wake } = sayings();
  return {
    nowMs: NOW,
    identity: { serial: 's', model: 'm', version: '1', fingerprint: 'f', keyStorage: 'plain', host: 'h' },
    claim: CLAIMED,
    uplink: { ...uplink, state: 'ok', lastCheckinAtMs: NOW - 10_000 },
    wake,
    lanes,
    laneFaults,
    losses: [],
    agents: { total: 2, connected: 2, failing: 0, list: [] },
    incidents: { openTotal: 0, open: [], resolved: [] },
    actions: [],
    evidence,
    discovery,
    devices: { total: 0, list: [] },
    host: { facts: {}, disk: { totalBytes: 100, freeBytes: 50 }, isClockSynced: true, takenAtMs: NOW },
    stages: [],
    ...change,
  };
}
const incidents = (...states: IncidentState[]) => ({
  openTotal: states.length,
  open: states.map((state) => ({ id: newId('inc'), state }) as IncidentRow),
  resolved: [],
});
const uplink = (change: Partial<HeadlineInput['uplink']>) => ({ uplink: { ...status().uplink, ...change } });

t.test('when nothing is wrong it says so, with the name of the site', async (t) => {
  t.match(headlineOf(status()), { tone: 'ok', title: 'All is well at Lakeside Dental', more: [] });
});

t.test('the worst comes first and the rest is not hidden', async (t) => {
  const headline = headlineOf(
    status({
      incidents: incidents('open', 'needs_person', 'healing'),
      agents: { total: 3, connected: 1, failing: 0, list: [] },
    }),
  );
  t.match(headline, { tone: 'bad', title: 'One problem needs a person' });
  t.strictSame(
    headline.more.map(({ title }) => title),
    ['One problem is open', 'Sitewarden is repairing', '2 workstations not connected'],
  );
});

t.test('a lane the relay refuses is named with why, one that is only late is not', async (t) => {
  const fault = { code: 'OUTBOX_GAP', message: 'Rows before these are missing.', atMs: NOW, isPermanent: true };
  const late = { ...fault, code: 'RELAY_TIMEOUT', isPermanent: false };
  const refused = headlineOf(status({ laneFaults: { telemetry: fault, incidents: late } }));
  t.match(refused, {
    tone: 'warn',
    title: 'The relay does not take the telemetry of this box',
    text: /^OUTBOX_GAP: Rows before these are missing\. What waits is kept on this box\./,
    more: [],
  });
  t.match(headlineOf(status({ laneFaults: { evidence: fault } })), { tone: 'bad' });
});

t.test('contact with the relay is judged by its age', async (t) => {
  const lastError = { code: 'X', message: 'Check the network.', atMs: NOW };
  const retrying = { state: 'retrying', lastError } as const;
  t.match(headlineOf(status(uplink({ ...retrying, lastCheckinAtMs: NOW - 4 * MIN }))), { tone: 'info' });
  t.match(headlineOf(status(uplink({ ...retrying, lastCheckinAtMs: NOW - 7 * MIN }))), {
    tone: 'warn',
    title: 'No contact with the relay for 7 min',
    text: 'Nothing is lost: 0 rows wait here. Check the network.',
  });
  t.match(headlineOf(status(uplink({ state: 'ok', lastCheckinAtMs: NOW - 7 * MIN }))), { tone: 'warn' });
  t.match(headlineOf(status(uplink({ ...retrying, lastCheckinAtMs: null }))), { tone: 'warn' });
  t.match(headlineOf(status(uplink({ state: 'retrying', lastCheckinAtMs: null }))), { tone: 'info' });
});

t.test('a refused and a doubled box are bad news', async (t) => {
  const lastError = { code: 'APPLIANCE_REVOKED', message: 'Ask the MSP.', atMs: NOW };
  t.match(headlineOf(status(uplink({ state: 'stopped', lastError }))), { tone: 'bad', text: 'Ask the MSP.' });
  t.match(headlineOf(status(uplink({ isQuarantined: true }))), { tone: 'bad', title: /Two boxes/ });
  const lost = headlineOf(status(uplink({ isQuarantined: true, chainLostAtMs: NOW })));
  t.match(lost, { tone: 'bad', title: /lost its check-in chain/, text: /admin releases the box/ });
});

t.test('a relay that contradicts a clock kept by NTP is told of', async (t) => {
  const apart = headlineOf(status(uplink({ state: 'ok', lastCheckinAtMs: NOW, relayAheadMs: 60 * 24 * 60 * MIN })));
  t.match(apart, { tone: 'warn', title: /ahead of the one of this box/, text: /whoever runs the relay/ });
  t.match(headlineOf(status(uplink({ state: 'ok', lastCheckinAtMs: NOW, relayAheadMs: -10 * MIN }))), {
    title: /10 min behind/,
  });
});

t.test('a stage that gets nowhere is bad news, with what waits and what to do', async (t) => {
  const stage = { name: 'evidence', waiting: 7, oldestAgeMs: MIN, failures: 9, failingForMs: 3 * MIN } as const;
  const stages = [{ ...stage, quietForMs: MIN, isStuck: true }];
  t.match(headlineOf(status({ stages })), {
    tone: 'bad',
    title: 'Evidence is not written for 3 min',
    text: /7 rows wait in its database\. Restart the box\./,
  });
  t.match(headlineOf(status({ stages: [{ ...stages[0]!, isStuck: false }] })), { tone: 'ok' });
  const evidence = { ...status().evidence, isHalted: true, waiting: 3 };
  t.match(headlineOf(status({ evidence })), { tone: 'bad', title: /stands still/, text: /3 changes wait/ });
});

t.test('a stage is stuck when turns keep failing, or none ends well while rows wait', async (t) => {
  const idle = { name: 'assess', waiting: 0, oldestAgeMs: 0, failures: 0, failingForMs: 0, quietForMs: 0 } as const;
  t.notOk(isStuck({ ...idle, waiting: 100_000, oldestAgeMs: 60 * MIN }), 'a long backlog that is worked off');
  t.notOk(isStuck({ ...idle, failures: 5, failingForMs: 2000 }), 'a moment of trouble');
  t.ok(isStuck({ ...idle, failures: 5, failingForMs: MIN }));
  t.ok(isStuck({ ...idle, waiting: 1, quietForMs: 3 * MIN }), 'it hangs');
});

t.test('a box without a site says so before what else is wrong at it', async (t) => {
  const incident = { state: 'open' } as HeadlineInput['incidents']['open'][number];
  const incidents = { openTotal: 1, open: [incident], resolved: [] };
  const headline = headlineOf(status({ claim: SHOWING, incidents }));
  t.match(headline, { title: 'This box belongs to no site yet', more: [{ title: 'One problem is open' }] });
});

t.test('a disk that is almost full is said before anything else', async (t) => {
  const host = { ...status().host, disk: { totalBytes: 100, freeBytes: 4 } };
  t.match(headlineOf(status({ host, claim: SHOWING })), { tone: 'bad', title: /almost full/ });
  const unknown = { ...status().host, disk: { totalBytes: 0, freeBytes: 0 } };
  t.match(headlineOf(status({ host: unknown })), { tone: 'ok' });
});

t.test('every phase of the claim has its sentence and its next step', async (t) => {
  const titles = CLAIM_PHASES.map((phase) => headlineOf(status({ claim: { ...SHOWING, phase } })));
  t.equal(new Set(titles.map(({ title }) => title)).size, CLAIM_PHASES.length);
  for (const { text } of titles) t.match(text, /\.$/);
});

t.test('no workstation yet is a hint, not a fault', async (t) => {
  t.match(headlineOf(status({ agents: { total: 0, connected: 0, failing: 0, list: [] } })), { tone: 'info' });
});

t.test('times and sizes read as people say them', async (t) => {
  t.strictSame([0, 999, 59_000, 60_000, 3_600_000, 3_660_000, 90_000_000, 86_400_000, -5].map(span), [
    '0 s',
    '0 s',
    '59 s',
    '1 min',
    '1 h',
    '1 h 1 min',
    '1 d 1 h',
    '1 d',
    '0 s',
  ]);
  t.equal(ago(NOW - 500, NOW), 'just now');
  t.equal(ago(NOW - 61_000, NOW), '1 min ago');
  t.equal(ago(NOW + 90_000, NOW), 'in the future by this clock');
  t.strictSame([0, 1023, 1024, 1536, 10 * 1024 ** 3, 2 ** 60].map(bytes), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '10 GiB',
    '1048576 TiB',
  ]);
});
