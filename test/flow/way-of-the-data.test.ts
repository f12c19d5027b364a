import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { watchSite } from '../../scripts/start/progress.ts';
import { declareDaemon, startSystem } from '../helpers/system.ts';

t.test('a stopped service is seen, repaired, verified, signed and cosigned, and staff see all of it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sitewarden-services-'));
  const manager = await declareDaemon(folder, 'front-desk');
  await manager.start('front-desk');
  const system = await startSystem({ requiredServices: ['front-desk'], agentTier: 1, pidfileDir: folder });
  t.teardown(async () => {
    await system.close();
    await manager.stop('front-desk').catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  });
  await system.startAgent();
  const site = watchSite(system.staff, system.siteId);
  const agent = await site.checks(6);
  t.equal(new Set(agent.checks.map(({ check }) => check)).size, 6, 'all six checks have a result');
  await site.serviceStatus('front-desk', 'pass');

  await manager.stop('front-desk');
  await site.incident('front-desk');
  const { incident, run } = await site.repaired('front-desk');
  t.equal((await manager.status('front-desk')).state, 'running', 'the daemon really runs again');
  t.ok(incident.cosigned, 'the incident is in a cosigned entry');
  t.type(run?.evidenceSeq, 'number');

  const { entries, state } = await system.staff.call<{
    entries: { seq: number; kind: string; cosigned: boolean }[];
    state: { mark: string };
  }>('GET', `/api/sites/${system.siteId}/evidence?limit=100`);
  const kinds = entries.toReversed().map(({ kind }) => kind);
  t.equal(kinds[0], 'claim', 'entry 0 is the claim');
  for (const kind of [
    'agent_enrolled',
    'incident_opened',
    'action_started',
    'action_finished',
    'action_verified',
    'incident_resolved',
  ]) {
    t.ok(kinds.includes(kind), `${kind} is in the log`);
  }
  t.strictSame(
    entries.map(({ seq }) => seq).toSorted((a, b) => a - b),
    entries.map((_, index) => index),
    'no gap',
  );
  t.equal(state.mark, 'cosigned');
});

t.test('at MONITOR_ONLY the same fault is reported and nothing is touched', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sitewarden-services-'));
  const manager = await declareDaemon(folder, 'front-desk');
  const system = await startSystem({ requiredServices: ['front-desk'], agentTier: 0, pidfileDir: folder });
  t.teardown(async () => {
    await system.close();
    await manager.stop('front-desk').catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  });
  await system.startAgent();
  const site = watchSite(system.staff, system.siteId);
  const incident = await site.incident('front-desk');
  t.not(incident.state, 'resolved');
  // Two further rounds of checks give a repair every chance to start.
  await site.serviceStatus('front-desk', 'fail');
  await system.staff.call('POST', `/api/sites/${system.siteId}/orders`, { action: 'run_check' });
  const { orders } = await orderDone(system);
  t.equal(orders[0]?.state, 'done');
  t.equal((await manager.status('front-desk')).state, 'stopped');
  t.strictSame((await site.incident('front-desk')).actions, []);
});

async function orderDone(system: Awaited<ReturnType<typeof startSystem>>) {
  const { waitFor } = await import('../../scripts/lib/wait.ts');
  return waitFor(
    'the order to be done',
    async () => {
      const list = await system.staff.call<{ orders: { state: string }[] }>(
        'GET',
        `/api/sites/${system.siteId}/orders`,
      );
      return list.orders[0] && ['done', 'failed', 'refused', 'expired'].includes(list.orders[0].state)
        ? list
        : undefined;
    },
    60_000,
  );
}
