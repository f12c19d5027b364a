import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { type Report, Tier } from '@sitewarden/agent-proto/agent';
import t from 'tap';
import { openQueue } from '../../../agent/queue/index.ts';
import { readStatus } from '../../../agent/run/index.ts';
import { type AgentUnderTest, makeAgent } from '../helpers/in-process-agent.ts';
import { startTestAppliance, type TestAppliance } from '../helpers/test-appliance.ts';
import { until } from '../helpers/wait.ts';

const FAST = { overrides: { heartbeatIntervalMs: 1000 } };

/** Reports put into the queue of an agent that is not running. */
function fill(agent: AgentUnderTest, site: TestAppliance, names: readonly string[]): void {
  const queue = openQueue(agent.config.dataDir, { maxRows: 10_000, maxAgeMs: 1e10 });
  queue.reports.bindAgent(site.agent.id);
  for (const orderId of names) queue.reports.enqueue({ results: [], rmmFindings: [], orderId, rmmLooked: false });
  queue.close();
}

const names = (count: number, prefix = 'r') => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const own = (reports: readonly Report[]) => reports.map(({ orderId }) => orderId).filter((id) => id !== '');
const depth = async (agent: AgentUnderTest) => (await readStatus(agent.config.dataDir)).queue?.depth;

async function scene(t: Tap, config = {}, fields = {}): Promise<{ site: TestAppliance; agent: AgentUnderTest }> {
  const site = await startTestAppliance(config);
  t.teardown(() => site.stop());
  const agent = await makeAgent(site, fields);
  t.teardown(() => agent.remove());
  return { site, agent };
}
type Tap = Pick<typeof t, 'teardown'>;

t.test('what waited is sent in order, numbered from 1, and forgotten once acknowledged', async (t) => {
  const { site, agent } = await scene(t);
  fill(agent, site, names(100));
  const daemon = agent.start();
  await until('every report', () => own(site.agent.reports).length === 100);
  t.strictSame(own(site.agent.reports), names(100));
  t.strictSame(
    site.agent.reports.slice(0, 100).map(({ seq }) => seq),
    names(100).map((_, i) => i + 1),
  );
  await until('an empty queue', async () => (await depth(agent)) === 0);
  t.equal(site.agent.duplicates, 0);
  t.equal(await daemon.stop(), 'stopped');
});

t.test('the first session brings the results of the checks', async (t) => {
  const { site, agent } = await scene(t, { requiredServices: ['no-such-service'] });
  const daemon = agent.start();
  const report = await until('a report', () => site.agent.reports[0]);
  t.match(report.results, [{ check: 'services', subject: 'no-such-service', status: 2 }]);
  await until('a heartbeat', () => site.agent.heartbeats.length > 0);
  t.match(site.agent.heartbeats[0]?.telemetry, { memory_total_bytes: { kind: { $case: 'integer' } } });
  t.match(site.agent.hellos[0], { lastSeq: 0, host: { osFamily: 'linux' }, bootId: /^[0-9a-f-]{36}$/ });
  await daemon.stop();
});

t.test('no more than the window is under way without an acknowledgement', async (t) => {
  const { site, agent } = await scene(t, {}, FAST);
  site.rules.holdAcks = true;
  fill(agent, site, names(100));
  const daemon = agent.start();
  await until('the heartbeat that comes after them', () => site.agent.heartbeats.length >= 2);
  t.equal(site.agent.reports.length, 32);
  t.ok((await depth(agent))! >= 100, 'nothing is forgotten');
  site.releaseAcks();
  await until('the others', () => own(site.agent.reports).length === 100);
  await daemon.stop();
});

t.test('an acknowledgement of more than was sent forgets only what was sent', async (t) => {
  const { site, agent } = await scene(t, {}, FAST);
  site.rules.holdAcks = true;
  fill(agent, site, names(40));
  const daemon = agent.start();
  await until('a full window', () => site.agent.reports.length === 32);
  site.agent.session?.write({ message: { $case: 'ack', value: { throughSeq: 1_000_000 } } });
  await until('the others', () => own(site.agent.reports).length === 40);
  t.strictSame(own(site.agent.reports), names(40));
  await daemon.stop();
});

t.test('what was not acknowledged comes again after a cut and is stored once', async (t) => {
  const { site, agent } = await scene(t);
  site.rules.holdAcks = true;
  fill(agent, site, names(10));
  const daemon = agent.start();
  await until('ten reports', () => site.agent.reports.length >= 10);
  site.rules.ackedThrough = 0;
  site.rules.holdAcks = false;
  site.cut();
  await until('the same again', () => site.agent.duplicates >= 10);
  site.rules.ackedThrough = undefined;
  await until('an empty queue', async () => (await depth(agent)) === 0);
  t.strictSame(own(site.agent.reports), names(10));
  await daemon.stop();
});

t.test('an appliance that is away costs nothing but time', async (t) => {
  const { site, agent } = await scene(t);
  await site.stop();
  fill(agent, site, names(5));
  const daemon = agent.start();
  await until('a try in vain', () => agent.logs.some(({ msg }) => msg.startsWith('no session with the appliance')));
  const look = () => readStatus(agent.config.dataDir);
  const waiting = await until('the word of it', async () => (await look()).reason === 'lost' && look());
  t.match(waiting, { state: 'waiting', queue: { depth: 5 } });
  await site.start();
  await until('the reports', () => own(site.agent.reports).length === 5);
  await until('the good word', async () => (await look()).state === 'connected');
  await daemon.stop();
});

t.test('two heartbeats without an answer end the session, and the next one begins', async (t) => {
  const { site, agent } = await scene(t, {}, FAST);
  site.rules.silent = true;
  const daemon = agent.start();
  await until('a second session', () => site.sessionsOpened >= 2);
  t.ok(agent.logs.some(({ reason }) => reason === 'no answer to heartbeats'));
  site.rules.silent = false;
  const sessions = site.sessionsOpened;
  const beats = site.agent.heartbeats.length;
  await until('more heartbeats', () => site.agent.heartbeats.length >= beats + 4);
  t.ok(site.sessionsOpened <= sessions + 1, 'answered, it stays');
  await daemon.stop();
});

t.test('a configuration that is pushed counts at once and after a restart without the appliance', async (t) => {
  const { site, agent } = await scene(t, { requiredServices: [] });
  let daemon = agent.start();
  await until('the first round', () => site.agent.reports.length === 1);
  site.pushConfig({ requiredServices: ['pushed-service'], heartbeatIntervalMs: 1000 });
  const report = await until('a round for the new work', () => site.agent.reports[1]);
  t.match(report.results, [{ subject: 'pushed-service' }]);
  await until('heartbeats at the new pace', () => site.agent.heartbeats.length >= 3, 5000);
  await daemon.stop();
  await site.stop();
  daemon = agent.start();
  await until('started', () => agent.logs.filter(({ msg, part }) => msg === 'started' && part === 'push').length === 2);
  const { queue } = await readStatus(agent.config.dataDir);
  t.match(queue?.siteConfig, { requiredServices: ['pushed-service'], generation: 2, tier: Tier.TIER_MONITOR_ONLY });
  await daemon.stop();
});

t.test('an agent that was removed stops with a word, and does not start again', async (t) => {
  const { site, agent } = await scene(t);
  fill(agent, site, names(3));
  const daemon = agent.start();
  await until('a session', () => site.agent.reports.length >= 3);
  site.remove(site.agent.id);
  t.equal(await daemon.end, 'removed');
  t.match(
    agent.logs.find(({ code }) => code === 'AGENT_REMOVED'),
    { level: 'error', msg: /removed from its site\. Enroll it again/ },
  );
  t.ok(existsSync(join(agent.config.dataDir, 'removed.json')));
  t.equal((await readStatus(agent.config.dataDir)).state, 'removed');
  const sessions = site.sessionsOpened;
  await t.rejects(agent.start().end, { code: 'AGENT_REMOVED' });
  t.equal(site.sessionsOpened, sessions);
});

t.test('an agent removed while it was away stops at its next session', async (t) => {
  const { site, agent } = await scene(t);
  site.agent.removed = true;
  t.equal(await agent.start().end, 'removed');
});

t.test('a certificate that is not accepted stops nothing: data stays, tries go on, and it is said', async (t) => {
  const { site, agent } = await scene(t);
  fill(agent, site, names(3));
  const known = site.agent;
  site.agents.clear();
  const daemon = agent.start();
  const line = await until('the word', () => agent.logs.find(({ code }) => code === 'CERTIFICATE_REFUSED'));
  t.match(line, { level: 'error', msg: /reports are kept/, nextTryMs: Number });
  t.equal(await depth(agent), 3);
  site.agents.set(known.id, known);
  await until('the reports', () => own(known.reports).length === 3);
  await daemon.stop();
});

t.test('the pause that the appliance asks for is kept', async (t) => {
  const { site, agent } = await scene(t);
  site.rules.refuseSessions = { code: status.RESOURCE_EXHAUSTED, metadata: { 'retry-delay-ms': '1500' } };
  const daemon = agent.start();
  await until('a refusal', () => agent.logs.some(({ reason }) => reason === 'exhausted'));
  const refusedMs = performance.now();
  site.rules.refuseSessions = undefined;
  await until('the next session', () => site.agent.heartbeats.length > 0);
  t.ok(performance.now() - refusedMs >= 1400, 'not sooner');
  await daemon.stop();
});

t.test('a report that the appliance refuses is dropped at the third time, counted, and the rest goes on', async (t) => {
  const { site, agent } = await scene(t);
  site.rules.isPoison = ({ orderId }) => orderId === 'r4';
  fill(agent, site, names(10));
  const daemon = agent.start();
  await until('the others', () => own(site.agent.reports).length === 9, 60_000);
  t.strictSame(
    own(site.agent.reports),
    names(10).filter((name) => name !== 'r4'),
  );
  t.match((await readStatus(agent.config.dataDir)).queue?.losses, [{ reason: 'refused', reports: 1 }]);
  const lossTold = () => site.agent.heartbeats.some(({ telemetry }) => telemetry.reports_lost !== undefined);
  await until('the loss in the telemetry', lossTold);
  await daemon.stop();
});

t.test('a report larger than a message may be is never sent: dropped, counted, and the rest goes on', async (t) => {
  const { site, agent } = await scene(t);
  fill(agent, site, ['r0', 'x'.repeat(2 * 1024 * 1024), 'r1']);
  const daemon = agent.start();
  await until('the others', () => own(site.agent.reports).length === 2);
  t.strictSame(own(site.agent.reports), ['r0', 'r1']);
  t.equal(site.sessionsOpened, 1);
  t.match((await readStatus(agent.config.dataDir)).queue?.losses, [{ reason: 'refused', reports: 1 }]);
  t.match(
    agent.logs.find(({ msg }) => /larger than the appliance takes/.test(msg)),
    { level: 'error', seq: 2 },
  );
  await daemon.stop();
});

t.test('a refused heartbeat costs no report, and its field is in the log', async (t) => {
  const { site, agent } = await scene(t, {}, FAST);
  let beats = 0;
  site.rules.isBadBeat = () => ++beats <= 3;
  site.rules.holdAcks = true;
  fill(agent, site, names(3));
  const daemon = agent.start();
  await until('the fourth beat', () => site.agent.heartbeats.length > 0, 60_000);
  site.releaseAcks();
  await until('an empty queue', async () => (await depth(agent)) === 0, 20_000);
  t.strictSame(own(site.agent.reports), names(3));
  t.strictSame((await readStatus(agent.config.dataDir)).queue?.losses, []);
  t.match(
    agent.logs.filter(({ field }) => field === 'heartbeat.telemetry'),
    [{ code: 'MESSAGE_INVALID' }, { code: 'MESSAGE_INVALID' }, { code: 'MESSAGE_INVALID' }],
  );
  await daemon.stop();
});

t.test(
  'a receipt that is refused is set aside at the third time; the other receipts and all reports arrive',
  async (t) => {
    const { site, agent } = await scene(t, {}, FAST);
    const told = () => site.agent.receipts.map(({ orderId }) => orderId);
    site.rules.isBadReceipt = ({ orderId }) => orderId === 'ord_bad';
    const daemon = agent.start();
    await until('a session', () => site.agent.heartbeats.length > 0);
    site.order({ action: 'restart_service', orderId: 'ord_bad' });
    site.order({ action: 'restart_service', orderId: 'ord_good' });
    await until('the other receipt', () => told().includes('ord_good'), 60_000);
    t.notOk(told().includes('ord_bad'));
    t.match(
      agent.logs.find(({ msg }) => /refuses this receipt/.test(msg)),
      { level: 'error', position: Number },
    );
    t.strictSame((await readStatus(agent.config.dataDir)).queue?.losses, []);
    await daemon.stop();
  },
);

t.test('an appliance that was set back is sent what follows on its own count', async (t) => {
  const { site, agent } = await scene(t);
  fill(agent, site, names(5));
  const daemon = agent.start();
  await until('five reports', () => own(site.agent.reports).length === 5);
  await until('an empty queue', async () => (await depth(agent)) === 0);
  site.agent.reports.length = 0;
  site.cut();
  await until('a session', () => site.sessionsOpened >= 2);
  site.order({ action: 'run_check' });
  await until('a report', () => site.agent.reports.length > 0);
  t.equal(site.agent.reports[0]?.seq, 1);
  t.match((await readStatus(agent.config.dataDir)).queue?.losses, [{ reason: 'appliance_set_back' }]);
  await daemon.stop();
});

t.test('the certificate is renewed under way, with a new key, and the agent goes on', async (t) => {
  const { site, agent } = await scene(t, {}, FAST);
  site.rules.certificateLifetimeMs = 6000;
  const short = await makeAgent(site, FAST);
  t.teardown(() => short.remove());
  const path = join(short.config.dataDir, 'identity', 'identity.json');
  const before = JSON.parse(readFileSync(path, 'utf8'));
  const daemon = short.start();
  await until('the first heartbeat', () => site.agent.heartbeats.length > 0);
  site.rules.certificateLifetimeMs = 86_400_000;
  await until('a renewal', () => site.renewals === 1);
  const sessions = site.sessionsOpened;
  await until('a session with the new certificate', () => site.sessionsOpened > sessions || site.sessionsOpened >= 2);
  const beats = site.agent.heartbeats.length;
  await until('heartbeats after it', () => site.agent.heartbeats.length > beats);
  t.not(JSON.parse(readFileSync(path, 'utf8')).keyPem, before.keyPem);
  t.equal(site.renewals, 1);
  await daemon.stop();
  t.ok(agent);
});

t.test('a certificate dated back by years is not renewed before two thirds of what is left', async (t) => {
  const { site } = await scene(t);
  site.rules.datedBackMs = 20 * 365 * 86_400_000;
  const agent = await makeAgent(site, FAST);
  t.teardown(() => agent.remove());
  const daemon = agent.start();
  await until('three heartbeats', () => site.agent.heartbeats.length >= 3);
  t.equal(site.renewals, 0);
  t.equal(site.sessionsOpened, 1);
  await daemon.stop();
});

t.test('no line of the log holds a key, a token or a certificate', async (t) => {
  const { site, agent } = await scene(t, {}, FAST);
  const daemon = agent.start();
  await until('a heartbeat', () => site.agent.heartbeats.length > 0);
  await daemon.stop();
  const { keyPem, certificatePem } = JSON.parse(
    readFileSync(join(agent.config.dataDir, 'identity', 'identity.json'), 'utf8'),
  );
  const text = JSON.stringify(agent.logs);
  for (const secret of [keyPem, certificatePem]) {
    const body = String(secret).split('\n')[1]!;
    t.notOk(text.includes(body));
    t.notOk(text.includes(Buffer.from(body, 'base64').toString('hex')));
  }
});
