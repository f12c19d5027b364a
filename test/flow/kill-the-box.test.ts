import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { waitFor } from '../../scripts/lib/wait.ts';
import { enroll, openSession, sixResults } from '../helpers/agent-client.ts';
import type { Verdict } from '../helpers/http-proxy.ts';
import { type System, startSystem } from '../helpers/system.ts';

const OUTBOX = '/api/appliances/outbox';

const SERVICES = Array.from({ length: 10 }, (_, index) => `daemon-${index + 1}`);

/** Two reports about each service: the first says it fails, the second that it runs. So each pair leaves an incident. */
function alternating(seq: number) {
  const report = sixResults(seq);
  const result = report.results[5]!;
  const service = SERVICES[Math.floor((seq - 1) / 2) % SERVICES.length]!;
  const isFailing = seq % 2 === 1;
  result.subject = service;
  result.status = isFailing ? 2 : 1;
  result.severity = 4;
  result.facts = {
    service: { kind: { $case: 'text', value: service } },
    state: { kind: { $case: 'text', value: isFailing ? 'unknown' : 'running' } },
  };
  return report;
}

async function pushReports(system: System, identity: Awaited<ReturnType<typeof enroll>>, count: number): Promise<void> {
  const session = await openSession(system.appliance.intakeAddress, identity);
  session.stream.on('error', () => {});
  const first = session.ackedThrough();
  for (let seq = first + 1; seq <= first + count; seq += 1) session.send({ $case: 'report', value: alternating(seq) });
  await waitFor('all reports to be acknowledged', () => session.ackedThrough() === first + count);
  session.close();
}

interface Evidence {
  entries: { seq: number; kind: string }[];
  state: { receivedSize: number; cosignedSize: number; mark: string };
}
const evidence = (system: System) =>
  system.staff.call<Evidence>('GET', `/api/sites/${system.siteId}/evidence?limit=200`);
const incidents = async (system: System) =>
  (
    await system.staff.call<{ incidents: { id: string; state: string }[] }>(
      'GET',
      `/api/sites/${system.siteId}/incidents?state=all&limit=200`,
    )
  ).incidents;

interface FleetStatus {
  value: string;
  ageMs: number;
  reason: string;
}

/** What staff see of the site. */
const fleetStatus = async (system: System): Promise<FleetStatus> =>
  (await system.staff.call<{ summary: { status: FleetStatus } }>('GET', `/api/sites/${system.siteId}`)).summary.status;

/** Moves what the stopped relay has on disk into the past, so that nobody waits for minutes. */
function ageLastCheckin(system: System, byMs: number): void {
  const db = new Database(join(system.base, 'relay', 'relay.db'));
  const { changes } = db.prepare('UPDATE appliance_live SET last_checkin_at_ms = last_checkin_at_ms - ?').run(byMs);
  db.close();
  if (changes !== 1) throw new Error(`${changes} boxes were aged`);
}

const POINTS: { name: string; verdict: Verdict }[] = [
  { name: 'after its commit, before anything was sent', verdict: 'refuse' },
  { name: 'after it sent, before the relay got it', verdict: 'hold' },
  { name: 'after the relay committed, before the answer came', verdict: 'drop-answer' },
];

for (const { name, verdict } of POINTS) {
  t.test(`the box is killed ${name}: nothing is lost, nothing doubled`, async (t) => {
    const system = await startSystem({ requiredServices: SERVICES });
    t.teardown(() => system.close());
    const identity = await enroll(await system.appliance.makeToken());
    await waitFor('the claim to be in the cosigned log', async () => (await evidence(system)).state.cosignedSize >= 2);

    // From here on the box cannot finish a delivery.
    const reached = verdict === 'refuse' ? undefined : system.proxy.reached(verdict);
    system.proxy.decide = (path) => (path.startsWith(OUTBOX) ? verdict : 'pass');
    await pushReports(system, identity, 10);
    await reached;
    system.appliance.kill('SIGKILL');
    await system.appliance.exited;
    system.proxy.decide = () => 'pass';
    await system.startAppliance();

    // 10 reports about five services: each failed once, and was resolved by the next report.
    const settled = await waitFor('five incidents at the relay', async () => {
      const list = await incidents(system);
      return list.length >= 5 && list.every(({ state }) => state === 'resolved') ? list : undefined;
    });
    t.equal(settled.length, 5);
    const log = await waitFor('the whole log to be cosigned', async () => {
      const value = await evidence(system);
      return value.state.mark === 'cosigned' && value.state.receivedSize === value.state.cosignedSize
        ? value
        : undefined;
    });
    const count = (kind: string) => log.entries.filter((entry) => entry.kind === kind).length;
    t.equal(count('incident_opened'), 5);
    t.equal(count('incident_resolved'), 5);
    t.equal(count('claim'), 1);
    t.strictSame(
      log.entries.map(({ seq }) => seq).toSorted((a, b) => a - b),
      log.entries.map((_, index) => index),
    );
  });
}

t.test(
  'the relay is away and comes back: the box keeps taking reports, everything arrives, status tells the truth',
  async (t) => {
    const system = await startSystem({ requiredServices: SERVICES });
    t.teardown(() => system.close());
    const identity = await enroll(await system.appliance.makeToken());
    await system.relay.stop();
    await pushReports(system, identity, 20);
    const status = (await (await fetch(`${system.appliance.localUrl}/api/local/status`)).json()) as {
      uplink: { lastError: { code: string } | null };
    };
    t.ok(
      await waitFor('the local page to name the failure', async () => {
        const now = (await (await fetch(`${system.appliance.localUrl}/api/local/status`)).json()) as typeof status;
        return now.uplink.lastError?.code;
      }),
      'the box says what is wrong',
    );
    // As after six minutes of silence: the relay comes back, the box cannot reach it yet.
    ageLastCheckin(system, 6 * 60_000);
    system.proxy.decide = (path) => (path.startsWith('/api/appliances/') ? 'refuse' : 'pass');
    await system.startRelay();
    const silent = await fleetStatus(system);
    t.match(silent, { value: 'stale', reason: /^stale: last check-in 6 min/ });
    t.ok(silent.ageMs >= 6 * 60_000, `${silent.ageMs} ms`);
    system.proxy.decide = () => 'pass';
    const back = await waitFor('the box to be online again', async () => {
      const status = await fleetStatus(system);
      return status.value === 'online' ? status : undefined;
    });
    t.match(back, { value: 'online', reason: /^online: last check-in / });
    t.ok(back.ageMs < 60_000, `${back.ageMs} ms`);
    const list = await waitFor(
      'ten incidents at the relay',
      async () => {
        const all = await incidents(system);
        return all.length >= 10 && all.every(({ state }) => state === 'resolved') ? all : undefined;
      },
      60_000,
    );
    t.equal(list.length, 10);
  },
);
