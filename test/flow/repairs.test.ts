import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { StaffClientError } from '../../scripts/lib/staff-client.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { declareDaemon, type System, startSystem } from '../helpers/system.ts';

interface Order {
  id: string;
  action: string;
  state: string;
  code: string | null;
  detail: string;
  dryRun: boolean;
  canUndo: boolean;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  undoneBy: { orderId: string; state: string } | null;
}
interface Incident {
  check: string;
  subject: string;
  state: string;
}

const ENDS = ['done', 'failed', 'refused', 'expired', 'indeterminate'];

function hands({ staff, siteId }: System) {
  const url = `/api/sites/${siteId}`;
  const orders = async () => (await staff.call<{ orders: Order[] }>('GET', `${url}/orders`)).orders;
  const give = (action: string, agentId: string, params?: object) =>
    staff.call<Order>('POST', `${url}/orders`, { action, agentId, ...(params && { params }) });
  const agents = async () =>
    (await staff.call<{ agents: { id: string; tier: number }[] }>('GET', `${url}/agents`)).agents;
  const ended = (id: string, what = id) =>
    waitFor(
      `${what} to end`,
      async () => (await orders()).find((one) => one.id === id && ENDS.includes(one.state)),
      60_000,
    );
  return {
    orders,
    give,
    ended,
    oneAgent: () => waitFor('the agent on the page', async () => (await agents())[0], 60_000),
    order: async (action: string, agentId: string, params?: object) =>
      ended((await give(action, agentId, params)).id, action),
    refusal: (action: string, agentId: string, params?: object) =>
      give(action, agentId, params).then(
        () => 'taken',
        (error: unknown) => (error instanceof StaffClientError ? error.code : String(error)),
      ),
    setTier: (id: string, tier: number) => staff.call('PUT', `${url}/agents/${id}/tier`, { tier }),
    tierOnBox: (tier: number) =>
      waitFor(`the box to say tier ${tier}`, async () => (await agents())[0]?.tier === tier || undefined, 60_000),
    incidents: async () =>
      (await staff.call<{ incidents: Incident[] }>('GET', `${url}/incidents`)).incidents.filter(
        ({ check, state }) => check === 'services' && state !== 'resolved',
      ),
    evidence: async () =>
      (await staff.call<{ entries: { kind: string; text: string; outcome: string }[] }>('GET', `${url}/evidence`))
        .entries,
  };
}

t.test(
  'staff order repairs of a workstation: tried, done, undone, refused, and verified by a fresh check',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sitewarden-services-'));
    const service = 'front-desk';
    const manager = await declareDaemon(folder, service);
    await manager.start(service);
    // Looked at when somebody asks: what happens to the service is this test's doing alone.
    const system = await startSystem({
      ...{ agentTier: 1, requiredServices: [service], pidfileDir: folder, checkIntervalMs: 86_400_000 },
    });
    t.teardown(async () => {
      await system.close();
      await manager.stop(service).catch(() => {});
      rmSync(folder, { recursive: true, force: true });
    });
    await system.startAgent();
    const it = hands(system);
    const { id } = await it.oneAgent();
    await it.tierOnBox(1);
    t.match(await it.order('run_check', id), { state: 'done' });
    const state = async () => (await manager.status(service)).state;
    const waitState = (wanted: string) =>
      waitFor(`the service to be ${wanted}`, async () => (await state()) === wanted || undefined, 60_000);

    await manager.stop(service);
    t.match(await it.order('start_service', id, { service, dry_run: true }), {
      ...{
        state: 'done',
        code: null,
        dryRun: true,
        canUndo: false,
        detail: /Dry run, nothing was changed.*front-desk/,
      },
      before: { service, state: 'stopped' },
      after: { service, state: 'stopped' },
    });
    t.equal(await state(), 'stopped');

    const started = await it.order('start_service', id, { service });
    t.match(started, { state: 'done', canUndo: true, before: { state: 'stopped' }, after: { state: 'running' } });
    t.equal(await state(), 'running');

    const { detail } = await manager.status(service);
    t.match(await it.order('restart_service', id, { service, dry_run: true }), {
      ...{ state: 'done', dryRun: true, canUndo: false, detail: /Dry run, nothing was changed.*restart the service/ },
    });
    t.equal((await manager.status(service)).detail, detail, 'it is the same process');

    // Undone, it is down again; the check that follows says so, and the rule for required services mends it.
    const undo = await it.order('undo', id, { order_id: started.id });
    t.match(undo, { state: 'done', before: { state: 'running' }, after: { state: 'stopped' } });
    t.match(
      (await it.orders()).find((one) => one.id === started.id),
      { canUndo: false, undoneBy: { orderId: undo.id, state: 'done' } },
    );
    t.equal(await it.refusal('undo', id, { order_id: started.id }), 'UNDO_TWICE');
    const entries = await waitFor(
      'the relay to have the evidence',
      async () => {
        const all = (await it.evidence()).filter(({ kind }) => kind === 'order_finished');
        return all.length >= 4 ? all : undefined;
      },
      60_000,
    );
    t.notMatch(
      JSON.stringify(entries),
      /Dry run/,
      'what the workstation said stands beside the order, and is not signed',
    );
    await waitState('running');
    await waitFor('its incident to close', async () => (await it.incidents()).length === 0 || undefined, 60_000);

    // The rule leaves the host alone for some minutes: staff are faster, and a fresh check closes the incident.
    await manager.stop(service);
    await it.order('run_check', id);
    await waitFor('an incident', async () => (await it.incidents())[0], 60_000);
    t.match(await it.order('start_service', id, { service }), { state: 'done', after: { state: 'running' } });
    await waitFor('the incident to close', async () => (await it.incidents()).length === 0 || undefined, 60_000);

    t.match(await it.order('restart_service', id, { service: 'sshd' }), {
      ...{ state: 'refused', code: 'SERVICE_NOT_REQUIRED' },
    });
    t.equal(await it.refusal('firewall_on', id), 'ORDER_TIER_TOO_LOW');
    t.equal(await it.refusal('start_service', id, { service, force: true }), 'BODY_INVALID');

    await it.setTier(id, 2);
    await it.tierOnBox(2);
    const dry = await it.order('firewall_on', id, { dry_run: true });
    const isTold = dry.state === 'done' ? /Dry run|Nothing to do/.test(dry.detail) : dry.state === 'refused';
    t.ok(isTold, `what it would do on this host, or why not: ${dry.state} ${dry.code} ${dry.detail}`);

    // Signed by the relay while the tier was high enough; the box goes by the tier of now.
    await system.appliance.stop();
    const late = await it.give('firewall_on', id, { dry_run: true });
    await it.setTier(id, 1);
    await system.startAppliance();
    t.match(await it.ended(late.id), { state: 'refused', code: 'TIER_TOO_LOW', detail: /Raise the tier/ });
  },
);
