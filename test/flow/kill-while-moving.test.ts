import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import t from 'tap';
import { waitFor } from '../../scripts/lib/wait.ts';
import { type System, startSystem } from '../helpers/system.ts';

interface Site {
  appliance: { id: string; epoch: number; state?: string; lastCheckinAtMs: number | null } | null;
}

const siteAt = (system: System, id: string) => system.staff.call<Site>('GET', `/api/sites/${id}`);

async function newSite(system: System, name: string): Promise<string> {
  const { clients } = await system.staff.call<{ clients: { id: string }[] }>('GET', '/api/clients');
  const site = await system.staff.call<{ id: string }>('POST', '/api/sites', { clientId: clients[0]?.id, name });
  return site.id;
}

const checkedIn = (system: System, siteId: string) =>
  waitFor(
    'a check-in',
    async () => {
      const { appliance } = await siteAt(system, siteId);
      return (appliance?.lastCheckinAtMs ?? null) !== null && appliance;
    },
    60_000,
  );

/** hold: the relay never has that request. drop-answer: it has, and the box does not hear the answer. */
const STEPS = [
  [BOX_PATHS.release, 'drop-answer'],
  [BOX_PATHS.checkpoint, 'drop-answer'],
  [BOX_PATHS.provisionStatus, 'drop-answer'],
  [BOX_PATHS.provisionAck, 'hold'],
] as const;

t.test('a box killed in the middle of a move gets there all the same, also with a relay that restarted', async (t) => {
  const system = await startSystem();
  t.teardown(system.close);
  let siteId = system.siteId;
  let epoch = 1;
  await checkedIn(system, siteId);
  for (const [n, [step, how]] of STEPS.entries()) {
    const what = `${step} ${how}`;
    const { appliance } = await siteAt(system, siteId);
    const toSiteId = await newSite(system, `Site ${n} ${how}`);
    let isMoving = false;
    let isDone = false;
    system.proxy.decide = (path) => {
      if (path === BOX_PATHS.release) isMoving = true;
      if (isDone || !isMoving || path !== step) return 'pass';
      isDone = true;
      return how;
    };
    const reached = system.proxy.reached(how);
    await system.staff.call('POST', `/api/sites/${siteId}/transfer`, {
      applianceId: appliance?.id,
      reason: 'moves',
      toSiteId,
    });
    await reached;
    system.appliance.kill('SIGKILL');
    await system.appliance.exited;
    if (n % 2 === 0) {
      await system.relay.stop();
      await system.startRelay();
    }
    system.proxy.decide = () => 'pass';
    await system.startAppliance();
    const now = await checkedIn(system, toSiteId);
    epoch += 1;
    t.equal(now.epoch, epoch, what);
    t.match(now, { state: 'active' }, `${what}: nobody took it for a copy`);
    t.equal((await siteAt(system, siteId)).appliance, null, what);
    siteId = toSiteId;
  }
});
