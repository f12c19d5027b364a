import { MENDING_ACTIONS, type MendingAction } from '@sitewarden/agent-proto/actions';
import { minTierOf, TIERS } from '@sitewarden/agent-proto/checks';
import { decodeEnvelope } from '@sitewarden/agent-proto/dsse';
import { compile, ORDER_ACTIONS, ORDER_PARAMS, PAYLOAD_TYPES, type ReceiptPayload } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import t, { type Test } from 'tap';
import { verifyAudit } from '../../../relay/audit/index.ts';
import type { Tenant } from '../../../relay/lib/identity.ts';
import {
  createOrder,
  deliverOrders,
  ORDER_TTL_MS,
  type OrderWish,
  type ShownOrder,
} from '../../../relay/orders/index.ts';
import * as view from '../../../relay/routes/contract/views.ts';
import { validatorOf } from '../../../relay/routes/input.ts';
import { listSiteOrders } from '../../../relay/sites/index.ts';
import type { Store } from '../../../relay/store/index.ts';
import { upsertAgents } from '../../../relay/store/repositories/agents.ts';
import { onBothRelays, type Start } from '../../helpers/both-relays.ts';
import { ingestRig } from '../../helpers/ingest-rig.ts';
import { seedPartner, seedSite } from '../../helpers/relay.ts';
import { onBothEngines } from '../../helpers/relay-stores.ts';
import { envelopeOf, outboxBody } from '../../helpers/sim-log.ts';
import { agentRow } from '../../helpers/sim-rows.ts';

const HOUR_MS = 3_600_000;
type Refusal = { code?: string; field?: string; message?: string; data?: Record<string, unknown> };
type Answer = ShownOrder & Refusal;

const windowAt = (startMs: number, endMs: number) => ({ window_start_ms: startMs, window_end_ms: endMs });
const paramsFor = (action: MendingAction, nowMs: number): Record<string, unknown> =>
  ({
    restart_service: { service: 'cron' },
    start_service: { service: 'cron' },
    screenlock_policy: { idle_seconds: 600 },
    security_updates_install: windowAt(nowMs, nowMs + HOUR_MS),
    undo: { order_id: newId('ord') },
  })[action as string] ?? {};

async function world(_t: Test, start: Start) {
  const relay = await start();
  const partnerId = await seedPartner(relay.store);
  const { siteId } = await seedSite(relay.store, partnerId);
  const admin = await relay.staff(partnerId, 'admin', 'Ada Moreno');
  const { applianceId } = await relay.claim(admin, siteId);
  const owner = { applianceId, partnerId, siteId, receivedAtMs: 1 };
  const row = agentRow({ tier: 2 });
  const tell = (tier: 0 | 1 | 2) =>
    relay.store.inTenant(partnerId, (trx) => upsertAgents(trx, owner, [{ ...row, tier }]));
  await tell(2);
  const tier = (to: number | null) =>
    admin.call('setAgentTier', { params: { siteId, agentId: row.id }, body: { tier: to } });
  await tier(2);
  const order = (body: object, who = admin) =>
    who.call<Answer>('createOrder', { params: { siteId }, body: { agentId: row.id, ...body } });
  const orders = async () => (await admin.call<{ orders: Answer[] }>('orders', { params: { siteId } })).body.orders;
  const audits = () =>
    relay.store.inTenant(partnerId, (trx) =>
      trx.selectFrom('audit_event').select(['action', 'actor', 'detail', 'ref']).orderBy('id').execute(),
    );
  return { relay, partnerId, siteId, admin, agentId: row.id, tell, tier, order, orders, audits };
}

t.test('repairs on both relays', async (t) => {
  await onBothRelays(t, {
    'admins and operators order every repair, nobody else does, and the audit says who and with what': async (
      t,
      start,
    ) => {
      const it = await world(t, start);
      const nowMs = Date.now();
      const operator = await it.relay.staff(it.partnerId, 'operator', 'Kim Okafor');
      for (const action of MENDING_ACTIONS) {
        if (action === 'undo') continue;
        const params = { ...paramsFor(action, nowMs), dry_run: true };
        for (const role of ['readonly', 'technician'] as const) {
          const refused = await it.order({ action, params }, await it.relay.staff(it.partnerId, role));
          t.match(refused, { status: 403, body: { code: 'FORBIDDEN' } }, `${action} by ${role}`);
        }
        const made = await it.order({ action, params }, operator);
        t.match(made, { status: 201 }, `${action}: ${JSON.stringify(made.body)}`);
        t.match(made.body, {
          ...{ action, agentId: it.agentId, params: { ...params, agent_id: it.agentId }, state: 'queued' },
          ...{ dryRun: true, before: null, after: null, canUndo: false, undoneBy: null, requestedBy: 'Kim Okafor' },
        });
        t.equal(validatorOf(view.OrderView)(made.body).ok, true);
      }
      const made = (await it.audits()).filter(({ action }) => action === 'order.created');
      t.equal(made.length, MENDING_ACTIONS.length - 1);
      const lock = made.find(({ detail }) => detail.includes('screenlock_policy'));
      t.equal(lock?.actor, 'Kim Okafor');
      t.match(JSON.parse(lock?.detail ?? ''), { agentId: it.agentId, idle_seconds: 600, dry_run: true });
      t.equal((await it.relay.store.inTenant(it.partnerId, (trx) => verifyAudit(trx, it.partnerId))).brokenAt, null);
      t.strictSame((await it.orders()).length, MENDING_ACTIONS.length - 1);
    },

    'what does not fit is refused naming every field, and leaves nothing behind': async (t, start) => {
      const it = await world(t, start);
      for (const [body, field, words] of [
        [{ action: 'start_service' }, '/params/service', /required property/],
        [{ action: 'start_service', params: { service: '-H evil' } }, '/params/service', /the name of one service/],
        [{ action: 'start_service', params: { service: 'cron', force: true } }, '/params/force', /additional/],
        [
          { action: 'screenlock_policy', params: { idle_seconds: 5, dry_run: 'yes', x: 1 } },
          /^\/params\//,
          /params\/x: .*params\/idle_seconds: .*>= 60.*params\/dry_run: |params\/idle_seconds.*params\/dry_run/,
        ],
        [{ action: 'firewall_on', params: { agent_id: newId('agt') } }, '/params/agent_id', /agentId/],
        [{ action: 'firewall_on', checks: ['firewall'] }, '/checks', /takes no checks/],
        [{ action: 'firewall_on', agentId: undefined }, '/agentId', /name it/],
        [{ action: 'run_check', params: {} }, '/params', /takes no params/],
        [{ action: 'undo', params: { order_id: 'x' } }, '/params/order_id', /pattern|must/],
        [{ action: 'format_disk' }, '/action', /allowed values/],
      ] as const) {
        const { status, body: answer } = await it.order(body);
        t.match({ status, ...answer }, { status: 400, code: 'BODY_INVALID', field }, JSON.stringify(body));
        t.match(answer.message, words);
      }
      t.match(await it.order({ action: 'firewall_on', agentId: newId('agt') }), {
        status: 404,
        body: { code: 'NOT_FOUND', field: '/agentId' },
      });
      t.strictSame(await it.orders(), []);
    },

    'a repair above the tier of its workstation is refused at once, naming both tiers and where the lower one is set':
      async (t, start) => {
        const it = await world(t, start);
        const nowMs = Date.now();
        for (const action of MENDING_ACTIONS) {
          if (action === 'undo') continue;
          const least = minTierOf(action);
          await it.tier(least - 1);
          const { status, body } = await it.order({ action, params: paramsFor(action, nowMs) });
          t.match({ status, ...body }, { status: 409, code: 'ORDER_TIER_TOO_LOW', field: '/action' }, action);
          const [needed, effective] = [TIERS[least], TIERS[least - 1]];
          t.strictSame(body.data, { action, needed, effective, tierFrom: 'agent' });
          t.match(body.message, new RegExp(`needs ${needed}.*on ${effective} by its own setting.*raise the tier`, 'i'));
          await it.tier(least);
          t.match(await it.order({ action, params: paramsFor(action, nowMs) }), { status: 201 }, `${action} then`);
        }
        await it.tier(null);
        const { body } = await it.order({ action: 'firewall_on' });
        t.match(body, { data: { tierFrom: 'site', effective: 'MONITOR_ONLY' }, message: /the tier of the site/ });
        await it.tier(2);
        await it.tell(1);
        const early = await it.order({ action: 'firewall_on' });
        t.match(early, { status: 409, body: { code: 'ORDER_TIER_NOT_YET', data: { effective: 'SELF_HEAL' } } });
        t.match(await it.order({ action: 'run_check' }), { status: 201 }, 'a check needs no tier');
      },

    'a maintenance window has to fit, and the order lives exactly as long': async (t, start) => {
      const it = await world(t, start);
      const nowMs = Date.now();
      const install = (params: object) => it.order({ action: 'security_updates_install', params });
      for (const [params, words] of [
        [windowAt(nowMs - 2 * HOUR_MS, nowMs), /is over/],
        [windowAt(nowMs + HOUR_MS, nowMs + HOUR_MS), /ends before it begins/],
        [windowAt(nowMs + HOUR_MS, nowMs), /ends before it begins/],
        [windowAt(nowMs, nowMs + 24 * HOUR_MS + 1), /longer than 24 hours/],
        [windowAt(nowMs + 160 * HOUR_MS, nowMs + 169 * HOUR_MS), /ends after the order/],
      ] as const) {
        const { status, body } = await install(params);
        t.match({ status, ...body }, { status: 422, code: 'ORDER_WINDOW_UNFIT', field: '/params/window_end_ms' });
        t.match(body.message, words);
      }
      const endMs = nowMs + 168 * HOUR_MS;
      t.match(await install(windowAt(endMs - 24 * HOUR_MS, endMs)), { status: 201, body: { expiresAtMs: endMs } });
      const soon = nowMs + 60_000;
      t.match(await install(windowAt(nowMs, soon)), { status: 201, body: { expiresAtMs: soon } });
      const dry = await install({ ...windowAt(endMs - HOUR_MS, endMs), dry_run: true });
      t.match(dry, { status: 201, body: { dryRun: true } });
      t.equal(dry.body.expiresAtMs, dry.body.createdAtMs + ORDER_TTL_MS, 'a dry run is told at once');
    },
  });
});

async function orderRig(store: Store) {
  const rig = await ingestRig(store);
  const tenant = (actor: string): Tenant => ({
    ...{ partnerId: rig.partnerId, staffId: newId('stf'), role: 'operator', actor, sessionHash: 'x', expiresAtMs: 0 },
  });
  const keys = {
    sign: (purpose: string, payload: object) => envelopeOf(rig.sim.dik, `type/${purpose}`, payload).toString('latin1'),
  };
  const rows = [agentRow({ tier: 2 }), agentRow({ tier: 2 })] as const;
  await rig.ingest(outboxBody({ lane: 'telemetry', firstSeq: 1, rows: [...rows] }));
  await rig.within((trx) => trx.updateTable('site').set({ agent_tier: 2 }).where('id', '=', rig.siteId).execute());
  const order = (wish: Partial<OrderWish> & Pick<OrderWish, 'action'>, actor = 'Ada') =>
    rig.within((trx) =>
      createOrder(trx, keys, {
        ...{ tenant: tenant(actor), siteId: rig.siteId, nowMs: rig.clock.nowMs() },
        wish: { agentId: rows[0].id, ...wish },
      }),
    );
  let seq = 0;
  const receipt = async (made: { id: string; seq: number }, more: Partial<ReceiptPayload>) => {
    seq += 1;
    const row = envelopeOf(rig.sim.dik, PAYLOAD_TYPES.receipt, {
      ...{ orderId: made.id, applianceId: rig.sim.box.applianceId, epoch: 1, orderSeq: made.seq },
      ...{ state: 'done', code: null, detail: 'As told.', atMs: rig.clock.nowMs() },
      ...more,
    });
    await rig.ingest(outboxBody({ lane: 'receipts', firstSeq: seq, rows: [row] }));
  };
  const shown = async (id: string) => {
    const list = await rig.within((trx) => listSiteOrders(trx, rig.siteId, rig.clock.nowMs()));
    t.equal(validatorOf(view.OrderList)(list).ok, true);
    return list.orders.find((one) => one.id === id);
  };
  const undo = (orderId: string, { agentId = rows[0].id, actor = 'Ada', ...more } = {}) =>
    order({ action: 'undo', agentId, params: { order_id: orderId, ...more } }, actor);
  return { ...rig, rows, order, receipt, shown, undo };
}

t.test('answers to repairs, on both engines', async (t) => {
  await onBothEngines(t, {
    'only the closed facts of the check of a repair are kept, before and after': async (t, store) => {
      const it = await orderRig(store);
      const made = await it.order({ action: 'firewall_on' });
      const { action, params } = JSON.parse(
        Buffer.from(decodeEnvelope(Buffer.from(made.envelope)).payload).toString(),
      ) as { action: 'firewall_on'; params: object };
      t.equal(compile(ORDER_PARAMS[action])(params).ok, true);
      await it.receipt(made, {
        before: { technology: 'ufw', active: false, hostname: 'front-desk', input_policy: 'call 555' },
        after: { technology: 'ufw', active: true, rule_count: 4, queue_depth: 1 },
      });
      t.match(await it.shown(made.id), {
        ...{ state: 'done', detail: 'As told.', canUndo: true, undoneBy: null, dryRun: false },
        before: { technology: 'ufw', active: false, hostname: undefined, input_policy: undefined },
        after: { technology: 'ufw', active: true, rule_count: 4, queue_depth: undefined },
      });
    },

    'an order is undone once, by its own workstation, when it is done and changed something': async (t, store) => {
      const it = await orderRig(store);
      const service = { service: 'cron' };
      const made = await it.order({ action: 'start_service', params: service });
      await t.rejects(it.undo(newId('ord')), { code: 'UNDO_ORDER_UNKNOWN', field: '/params/order_id', status: 404 });
      await t.rejects(it.undo(made.id, { agentId: it.rows[1].id }), { code: 'UNDO_OTHER_AGENT' });
      await t.rejects(it.undo(made.id), { code: 'UNDO_NOT_DONE', message: /It is queued/ });
      const restart = await it.order({ action: 'restart_service', params: service });
      await it.receipt(restart, {});
      await t.rejects(it.undo(restart.id), { code: 'UNDO_NOT_POSSIBLE', message: /restart_service/ });
      const dry = await it.order({ action: 'start_service', params: { ...service, dry_run: true } });
      await it.receipt(dry, {});
      await t.rejects(it.undo(dry.id), { code: 'UNDO_DRY_RUN' });
      t.match(await it.shown(dry.id), { canUndo: false, dryRun: true });
      const failed = await it.order({ action: 'firewall_on' });
      await it.receipt(failed, { state: 'failed', code: 'TOOL_FAILED' });
      await t.rejects(it.undo(failed.id), { code: 'UNDO_NOT_DONE' });

      const facts = { before: { service: 'cron', state: 'stopped' }, after: { service: 'cron', state: 'running' } };
      await it.receipt(made, facts as never);
      t.match(await it.shown(made.id), { canUndo: true, ...facts });
      const tried = await it.undo(made.id, { dry_run: true } as never);
      await it.receipt(tried, {});
      t.match(await it.shown(made.id), { canUndo: true, undoneBy: null }, 'trying it is not doing it');
      const lost = await it.undo(made.id);
      await it.receipt(lost, { state: 'refused', code: 'UNDO_UNKNOWN' });
      t.match(await it.shown(made.id), { canUndo: true, undoneBy: null }, 'one that came to nothing may be repeated');

      const undone = await it.undo(made.id, { actor: 'Kim' });
      t.match(await it.shown(made.id), { canUndo: false, undoneBy: { orderId: undone.id, state: 'queued' } });
      await t.rejects(it.undo(made.id), { code: 'UNDO_TWICE', data: { orderId: undone.id }, message: /By Kim/ });
      await it.receipt(undone, { before: facts.after, after: facts.before } as never);
      t.match(await it.shown(undone.id), { after: { state: 'stopped' }, canUndo: false });
      t.match(await it.shown(made.id), { undoneBy: { requestedBy: 'Kim', state: 'done' } });
      await t.rejects(it.undo(made.id), { code: 'UNDO_TWICE' });
    },

    'of two who undo the same order at once one is refused': async (t, store) => {
      const it = await orderRig(store);
      const made = await it.order({ action: 'firewall_on' });
      await it.receipt(made, {});
      const ends = await Promise.allSettled([it.undo(made.id), it.undo(made.id), it.undo(made.id)]);
      const codes = ends.map((end) => (end.status === 'fulfilled' ? 'made' : (end.reason as { code: string }).code));
      t.strictSame(codes.sort(), ['UNDO_TWICE', 'UNDO_TWICE', 'made']);
    },

    'a hundred orders that wait for their window do not keep a new one from the box': async (t, store) => {
      const it = await orderRig(store);
      const nowMs = it.clock.nowMs();
      const params = windowAt(nowMs + HOUR_MS, nowMs + 2 * HOUR_MS);
      for (let n = 0; n < 100; n += 1) await it.order({ action: 'security_updates_install', params });
      await it.within((trx) => trx.updateTable('site_order').set({ state: 'started' }).execute());
      const made = await it.order({ action: 'firewall_on' });
      const { orders } = await it.within((trx) =>
        deliverOrders(trx, { applianceId: it.sim.box.applianceId, nowMs: nowMs + 1 }),
      );
      t.equal(orders.length, 100);
      t.equal(orders.at(-1), made.envelope, 'the newest is last, as it was given last');
    },

    'an undo needs the tier of what it puts back': async (t, store) => {
      const it = await orderRig(store);
      const made = await it.order({ action: 'firewall_on' });
      await it.receipt(made, {});
      await it.within((trx) => trx.updateTable('site').set({ agent_tier: 1 }).where('id', '=', it.siteId).execute());
      await t.rejects(it.undo(made.id), {
        code: 'ORDER_TIER_TOO_LOW',
        data: { needed: 'FULL_REMEDIATION', effective: 'SELF_HEAL', tierFrom: 'site' },
        message: /undo of firewall_on/,
      });
    },
  });
});

t.test('every action of an agent that mends is an order, with its own parameters and the agent', async (t) => {
  for (const action of MENDING_ACTIONS) {
    t.ok(ORDER_ACTIONS.includes(action));
    const fits = compile(ORDER_PARAMS[action]);
    const good = { ...paramsFor(action, 1000), agent_id: newId('agt') };
    t.equal(fits(good).ok, true, action);
    t.equal(fits({ ...good, dry_run: true }).ok, true);
    t.match(fits({ ...good, agent_id: undefined }), { ok: false });
    t.match(fits({ ...good, more: 1 }), { ok: false, field: '/more' });
    for (const name of Object.keys(paramsFor(action, 1000))) {
      const { [name]: _gone, ...rest } = good as Record<string, unknown>;
      t.match(fits(rest), { ok: false, field: `/${name}` });
    }
  }
});
