import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { DIAGNOSTICS } from '@sitewarden/agent-proto/checks';
import Database from 'better-sqlite3';
import t from 'tap';
import { runProgram } from '../../scripts/lib/programs.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { type System, startSystem } from '../helpers/system.ts';

interface Agent {
  id: string;
  tier: number;
  wantedTier: number;
  tierFrom: string;
}
interface Order {
  id: string;
  action: string;
  state: string;
  code: string | null;
  detail: string;
  after: Record<string, unknown> | null;
}

const ENDS = ['done', 'failed', 'refused', 'expired', 'indeterminate'];

function hands(system: System) {
  const { staff, siteId } = system;
  const agents = async () => (await staff.call<{ agents: Agent[] }>('GET', `/api/sites/${siteId}/agents`)).agents;
  const oneAgent = () => waitFor('the agent on the page', async () => (await agents())[0], 60_000);
  return {
    agents,
    oneAgent,
    setTier: (id: string, tier: number | null) =>
      staff.call<Agent>('PUT', `/api/sites/${siteId}/agents/${id}/tier`, { tier }),
    tierOnBox: (tier: number) =>
      waitFor(`the box to say tier ${tier}`, async () => (await agents())[0]?.tier === tier || undefined, 60_000),
    async order(action: string, agentId: string): Promise<Order> {
      const { id } = await staff.call<{ id: string }>('POST', `/api/sites/${siteId}/orders`, { action, agentId });
      return waitFor(
        `${action} to end`,
        async () => {
          const { orders } = await staff.call<{ orders: Order[] }>('GET', `/api/sites/${siteId}/orders`);
          return orders.find((order) => order.id === id && ENDS.includes(order.state));
        },
        60_000,
      );
    },
  };
}

/** What the agent itself goes by, as it kept it on its disk. */
async function tierOfAgent(system: System, tier: number): Promise<void> {
  const { id } = await hands(system).oneAgent();
  const { after } = await hands(system).order('collect_diagnostics', id);
  t.equal(after?.tier, tier, 'the agent goes by it');
}

t.test('a tier that staff set reaches box and agent, and holds over restarts of both', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sitewarden-services-'));
  const system = await startSystem({ agentTier: 0, requiredServices: ['front-desk'], pidfileDir: folder });
  t.teardown(async () => {
    await system.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await system.startAgent();
  const { oneAgent, setTier, tierOnBox } = hands(system);
  const { id } = await oneAgent();
  t.match(await setTier(id, 2), { agentId: id, wantedTier: 2, tierFrom: 'agent' });
  await tierOnBox(2);
  await tierOfAgent(system, 2);
  await system.agent?.stop();
  await system.appliance.stop();
  await system.startAppliance();
  await system.startAgent();
  await tierOnBox(2);
  await tierOfAgent(system, 2);
  t.match(await oneAgent(), { wantedTier: 2, tierFrom: 'agent' });

  await setTier(id, null);
  await tierOnBox(0);
  await tierOfAgent(system, 0);
  // A repair that a rule asked for before the tier was lowered: the box does not give it any more.
  await system.agent?.stop();
  await system.appliance.stop();
  const db = new Database(join(system.base, 'appliance', 'appliance.db'));
  const nowMs = Date.now();
  db.prepare(
    `INSERT INTO agent_order (id, agent_id, action, params, requested_by, created_at_ms, expires_at_ms, state, changed_at_ms)
     VALUES ('ord_late', ?, 'restart_service', '{"service":"front-desk"}', 'rule:x', ?, ?, 'queued', ?)`,
  ).run(id, nowMs, nowMs + 600_000, nowMs);
  await system.startAppliance();
  await system.startAgent();
  const row = await waitFor(
    'the box to refuse it',
    async () => {
      const found = db.prepare('SELECT state, code FROM agent_order WHERE id = ?').get('ord_late');
      return (found as { state: string }).state === 'queued' ? undefined : found;
    },
    30_000,
  );
  db.close();
  t.strictSame(row, { state: 'refused', code: 'TIER_TOO_LOW' });
});

t.test('diagnostics come back to staff as the closed set, without names of people or machines', async (t) => {
  const system = await startSystem({ agentTier: 1 });
  t.teardown(system.close);
  await system.startAgent();
  const { oneAgent, order } = hands(system);
  const { id } = await oneAgent();
  const done = await order('collect_diagnostics', id);
  t.match(done, { state: 'done', code: null });
  const after = done.after ?? {};
  for (const name of Object.keys(after)) t.ok(Object.hasOwn(DIAGNOSTICS, name), name);
  t.match(after, {
    tier: 1,
    os_family: process.platform === 'linux' ? 'linux' : String,
    node_version: process.versions.node,
    queue_depth: Number,
    uptime_s: Number,
    clock_offset_ms: Number,
    data_disk_free_bytes: Number,
    checks: ['bitlocker', 'defender', 'firewall', 'patches', 'screenlock', 'services'],
    errors: Array,
    unknown_checks: Array,
  });
  const text = JSON.stringify(after);
  for (const name of [hostname(), system.base, '/tmp', '\\\\']) t.notOk(text.includes(name), `nothing of ${name}`);
  const { username } = userInfo();
  if (username !== 'root') t.notOk(text.includes(username));
});

t.test('an agent that is removed stops and says so, at once or when it comes back', async (t) => {
  const lines: string[] = [];
  const system = await startSystem({ agentTier: 0, onLine: (line) => lines.push(line) });
  t.teardown(system.close);
  await system.startAgent();
  const { agents, oneAgent, order } = hands(system);
  const first = await oneAgent();
  const done = await order('remove_agent', first.id);
  t.match(done, { state: 'done', code: null, detail: /stops at its next contact/ });
  await waitFor('the agent to say so', async () => lines.some((line) => line.includes('AGENT_REMOVED')), 30_000);
  await waitFor('it to be gone from the page', async () => (await agents()).length === 0, 30_000);
  const config = join(system.base, 'agent.yaml');
  t.match(await runProgram('agent', ['status', '--config', config]).catch(String), /removed/);

  rmSync(join(system.base, 'agent'), { recursive: true });
  rmSync(join(system.base, 'agent-token.json'), { force: true });
  await system.startAgent();
  const second = await oneAgent();
  t.not(second.id, first.id);
  await system.agent?.stop();
  t.match(await order('remove_agent', second.id), { state: 'done' }, 'the box does not wait for it');
  lines.length = 0;
  await system.startAgent().catch(() => {});
  await waitFor(
    'it to be told when it comes back',
    async () => lines.some((line) => line.includes('AGENT_REMOVED')),
    30_000,
  );
});
