import { decodeEnvelope } from '@sitewarden/agent-proto/dsse';
import { compile, ORDER_PARAMS, type OrderAction, OrderPayload, PAYLOAD_TYPES } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import t from 'tap';
import type { Tenant } from '../../../relay/lib/identity.ts';
import { createOrder, deliverOrders, ORDER_TTL_MS, type OrderWish, viewOrder } from '../../../relay/orders/index.ts';
import * as view from '../../../relay/routes/contract/views.ts';
import { validatorOf } from '../../../relay/routes/input.ts';
import { listSiteOrders } from '../../../relay/sites/index.ts';
import type { Store } from '../../../relay/store/index.ts';
import { ingestRig } from '../../helpers/ingest-rig.ts';
import { seedPartner, seedSite } from '../../helpers/relay.ts';
import { onBothEngines } from '../../helpers/relay-stores.ts';
import { checkinBody } from '../../helpers/sim-box.ts';
import { envelopeOf, outboxBody } from '../../helpers/sim-log.ts';
import { agentRow } from '../../helpers/sim-rows.ts';

async function orderRig(store: Store) {
  const rig = await ingestRig(store);
  const tenant: Tenant = {
    partnerId: rig.partnerId,
    staffId: newId('stf'),
    role: 'operator',
    actor: 'Ada',
    sessionHash: 'x',
    expiresAtMs: 0,
  };
  // Signed by any key: what counts here is what is signed.
  const keys = {
    sign: (purpose: string, payload: object) => envelopeOf(rig.sim.dik, `type/${purpose}`, payload).toString('latin1'),
  };
  const order = (wish: Partial<OrderWish> = {}, siteId = rig.siteId) =>
    rig.within((trx) =>
      createOrder(trx, keys, { tenant, siteId, wish: { action: 'run_check', ...wish }, nowMs: rig.clock.nowMs() }),
    );
  const deliver = () =>
    rig.within((trx) => deliverOrders(trx, { applianceId: rig.sim.box.applianceId, nowMs: rig.clock.nowMs() }));
  const list = () => rig.within((trx) => listSiteOrders(trx, rig.siteId, rig.clock.nowMs()));
  return { ...rig, order, deliver, list };
}

const payloadOf = (envelope: string) =>
  JSON.parse(Buffer.from(decodeEnvelope(Buffer.from(envelope)).payload).toString());

t.test('orders on both engines', async (t) => {
  await onBothEngines(t, {
    'a relay that was set back gives no number twice: the box says which it took': async (t, store) => {
      const rig = await orderRig(store);
      const { applianceId } = rig.sim.box;
      const say = async (orderSeq: number) => {
        const body = JSON.stringify(checkinBody({ orderSeq }));
        await rig.within((trx) => trx.deleteFrom('appliance_live').where('appliance_id', '=', applianceId).execute());
        await rig.within((trx) =>
          trx
            .insertInto('appliance_live')
            .values({
              ...{ appliance_id: applianceId, partner_id: rig.partnerId, site_id: rig.siteId },
              ...{ last_checkin_at_ms: 1, counter: 1, token: 't', previous_token: null, previous_body_hash: null },
              ...{ boot_id: 'b', clock_offset_ms: 0, body, online_since_ms: 1, queue_depth: 0, queue_oldest_ms: 0 },
            })
            .execute(),
        );
      };
      await rig.order();
      await say(40);
      await rig.order();
      await say(3);
      await rig.order();
      await say(Number.MAX_SAFE_INTEGER);
      await rig.order();
      const { orders } = await rig.deliver();
      t.strictSame(
        orders.map((envelope) => payloadOf(envelope).seq),
        [1, 41, 42, 43],
      );
    },

    'orders for one agent name it and nothing else, and only an answer that was asked for is kept': async (
      t,
      store,
    ) => {
      const rig = await orderRig(store);
      const row = agentRow();
      await rig.ingest(outboxBody({ lane: 'telemetry', firstSeq: 1, rows: [row] }));
      for (const action of ['remove_agent', 'collect_diagnostics'] as const) {
        await t.rejects(rig.order({ action }), { code: 'BODY_INVALID', field: '/agentId' });
        const checks = ['firewall'];
        await t.rejects(rig.order({ action, agentId: row.id, checks }), { code: 'BODY_INVALID', field: '/checks' });
        await t.rejects(rig.order({ action, agentId: newId('agt') }), { code: 'NOT_FOUND', field: '/agentId' });
      }
      const asked = await rig.order({ action: 'collect_diagnostics', agentId: row.id });
      const removal = await rig.order({ action: 'remove_agent', agentId: row.id });
      for (const { envelope } of [asked, removal]) {
        const { action, params } = payloadOf(envelope);
        t.equal(compile(ORDER_PARAMS[action as OrderAction])(params).ok, true);
      }
      const after = { queue_depth: 2, hostname: 'front-desk', checks: ['a/b'] };
      const receipts = [asked, removal].map((order) =>
        envelopeOf(rig.sim.dik, PAYLOAD_TYPES.receipt, {
          orderId: order.id,
          applianceId: rig.sim.box.applianceId,
          epoch: 1,
          orderSeq: order.seq,
          state: 'done',
          code: null,
          detail: '',
          atMs: rig.clock.nowMs(),
          after,
        }),
      );
      await rig.ingest(outboxBody({ lane: 'receipts', firstSeq: 1, rows: receipts }));
      const { orders } = await rig.list();
      t.strictSame(orders.map((order) => [order.action, order.state, order.after]).toSorted(), [
        ['collect_diagnostics', 'done', { queue_depth: 2, checks: ['a-b'] }],
        ['remove_agent', 'done', null],
      ]);
      t.equal(validatorOf(view.OrderList)(await rig.list()).ok, true);
    },
    'an order is signed with a number that rises and never repeats': async (t, store) => {
      const rig = await orderRig(store);
      const made = await Promise.all(Array.from({ length: 12 }, () => rig.order()));
      t.same(
        made.map(({ seq }) => seq).sort((a, b) => a - b),
        Array.from({ length: 12 }, (_, n) => n + 1),
      );
      const payload = payloadOf(made[0]?.envelope ?? '');
      t.equal(compile(OrderPayload)(payload).ok, true);
      t.match(payload, {
        orderId: made[0]?.id,
        applianceId: rig.sim.box.applianceId,
        epoch: 1,
        expiresAtMs: rig.clock.nowMs() + ORDER_TTL_MS,
        requestedBy: 'Ada',
        params: {},
      });
      const audit = await rig.within((trx) => trx.selectFrom('audit_event').select('action').execute());
      t.equal(audit.filter(({ action }) => action === 'order.created').length, 12);
    },

    'an order names only what there is': async (t, store) => {
      const rig = await orderRig(store);
      const agent = agentRow();
      const removed = agentRow({ state: 'removed' });
      await rig.ingest(outboxBody({ lane: 'telemetry', firstSeq: 1, rows: [agent, removed] }));
      const made = await rig.order({ agentId: agent.id, checks: ['services', 'patches'] });
      t.match(payloadOf(made.envelope).params, { agent_id: agent.id, checks: ['services', 'patches'] });
      await t.rejects(rig.order({ agentId: newId('agt') }), { code: 'NOT_FOUND', field: '/agentId' });
      await t.rejects(rig.order({ agentId: removed.id }), { code: 'NOT_FOUND' });
      await t.rejects(rig.order({ checks: ['services', 'everything'] }), { code: 'BODY_INVALID', field: '/checks/1' });
      await t.rejects(rig.order({}, newId('site')), { code: 'NOT_FOUND' });
      const { siteId } = await seedSite(store, rig.partnerId, 'without a box');
      await t.rejects(rig.order({}, siteId), { code: 'APPLIANCE_NONE' });
      const stranger = await seedSite(store, await seedPartner(store, 'Stranger'));
      await t.rejects(rig.order({}, stranger.siteId), { code: 'NOT_FOUND' });
      const { seq } = await rig.order();
      t.equal(seq, 2, 'what was refused took no number');
    },

    'a box gets what waits, oldest first, again until it answers, and nothing that ran out': async (t, store) => {
      const rig = await orderRig(store);
      const first = await rig.order();
      rig.clock.advance(1000);
      const second = await rig.order();
      t.same((await rig.deliver()).orders, [first.envelope, second.envelope]);
      t.same((await rig.deliver()).orders, [first.envelope, second.envelope]);
      t.match(await rig.list(), { orders: [{ state: 'delivered' }, { state: 'delivered' }] });
      const receipt = envelopeOf(rig.sim.dik, 'application/vnd.sitewarden.receipt.v1+json', {
        orderId: first.id,
        applianceId: rig.sim.box.applianceId,
        epoch: 1,
        orderSeq: first.seq,
        state: 'done',
        code: null,
        detail: 'Checked.',
        atMs: 1,
      });
      await rig.ingest(outboxBody({ lane: 'receipts', firstSeq: 1, rows: [receipt] }));
      t.same((await rig.deliver()).orders, [second.envelope]);
      rig.clock.advance(ORDER_TTL_MS);
      t.same((await rig.deliver()).orders, []);
      const { orders } = await rig.list();
      t.match(orders, [
        { id: second.id, state: 'expired', detail: /did not answer in time/ },
        { id: first.id, state: 'done', detail: 'Checked.' },
      ]);
      t.equal(validatorOf(view.OrderList)(await rig.list()).ok, true);
      t.equal(validatorOf(view.OrderView)(viewOrder(first, 1)).ok, true);
    },

    'a box out of service gets none': async (t, store) => {
      const rig = await orderRig(store);
      await rig.order();
      for (const [state, code] of [
        ['quarantined', 'APPLIANCE_QUARANTINED'],
        ['revoked', 'APPLIANCE_REVOKED'],
      ] as const) {
        await rig.within((trx) => trx.updateTable('appliance').set({ state }).execute());
        await t.rejects(rig.deliver(), { code });
        await t.rejects(rig.order(), { code: 'APPLIANCE_NONE' });
      }
      t.match((await rig.list()).orders, [{ state: 'queued' }]);
    },
  });
});
