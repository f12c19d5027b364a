import { createHmac } from 'node:crypto';
import type { CheckinRequest } from '@sitewarden/agent-proto/http';
import { Registry } from 'prom-client';
import t from 'tap';
import { appendAudit } from '../../../relay/audit/index.ts';
import { type CheckinService, createCheckinMetrics, createCheckinService } from '../../../relay/checkin/index.ts';
import { createLiveBus } from '../../../relay/live/index.ts';
import { deliverOrders } from '../../../relay/orders/index.ts';
import { createSightingBook } from '../../../relay/quarantine/index.ts';
import { type Store, TENANT_TABLES } from '../../../relay/store/index.ts';
import { releaseQuarantined } from '../../../relay/store/repositories/live.ts';
import { raiseGeneration } from '../../../relay/store/repositories/sites.ts';
import { seedPartner, seedSite, type TestClock, testClock } from '../../helpers/relay.ts';
import { onBothEngines } from '../../helpers/relay-stores.ts';
import { checkinBody, type SimBox, seedBox } from '../../helpers/sim-box.ts';

interface Rig {
  service: CheckinService;
  store: Store;
  clock: TestClock;
  registry: Registry;
  partnerId: string;
  sim: SimBox;
  send(over?: Partial<CheckinRequest>, box?: SimBox): ReturnType<CheckinService['checkin']>;
}

async function rigOf(store: Store): Promise<Rig> {
  const clock = testClock(1_800_000_000_000);
  const registry = new Registry();
  const partnerId = await seedPartner(store);
  const { siteId } = await seedSite(store, partnerId);
  const sim = await seedBox(store, { partnerId, siteId });
  const service = createCheckinService({
    store,
    clock,
    bus: createLiveBus(),
    metrics: createCheckinMetrics(registry),
    signTime: (nonce, timeMs) => `${nonce} ${timeMs}`,
    alarm: (trx, { siteId: ref, atMs, applianceId }) =>
      appendAudit(trx, { partnerId, atMs, actor: applianceId, action: 'appliance.quarantined', ref }),
    tokenMac: (bytes) => createHmac('sha256', 'of this test').update(bytes).digest(),
    noteRestored: (trx, { siteId: ref, atMs, applianceId }) =>
      appendAudit(trx, { partnerId, atMs, actor: applianceId, action: 'checkin.state_restored', ref }),
    overtakeConfig: async (trx, { siteId: id, generation }) => (await raiseGeneration(trx, id, generation)).generation,
    sightings: createSightingBook(store),
    onQuarantined: () => {},
  });
  const send: Rig['send'] = (over = {}, box = sim) => {
    const body = checkinBody(over);
    return service.checkin(box.box, body, Buffer.from(JSON.stringify(body)));
  };
  return { service, store, clock, registry, partnerId, sim, send };
}

const liveRow = ({ store, partnerId, sim }: Rig) =>
  store.inTenant(partnerId, (trx) =>
    trx
      .selectFrom('appliance_live')
      .selectAll()
      .where('appliance_id', '=', sim.box.applianceId)
      .executeTakeFirstOrThrow(),
  );

const stateOf = async ({ store, partnerId, sim }: Rig) => {
  const query = (trx: Parameters<Parameters<Store['inTenant']>[1]>[0]) =>
    trx.selectFrom('appliance').select('state').where('id', '=', sim.box.applianceId).executeTakeFirstOrThrow();
  return (await store.inTenant(partnerId, query)).state;
};

/** Rows of every table of the tenant. */
const countRows = ({ store, partnerId }: Rig) =>
  store.inTenant(partnerId, async (trx) => {
    const counts: Record<string, number> = {};
    for (const table of TENANT_TABLES) {
      const rows = await trx
        .selectFrom(table as 'site')
        .selectAll()
        .execute();
      counts[table] = rows.length;
    }
    return counts;
  });

/** Rows inserted, changed or deleted meanwhile; only SQLite counts them. */
async function rowsWritten(store: Store, work: () => Promise<unknown>): Promise<number> {
  const total = async () =>
    (await store.sqliteBatch?.((db) => (db.prepare('SELECT total_changes() AS n').get() as { n: number }).n)) ?? 0;
  const before = await total();
  await work();
  return (await total()) - before;
}

const auditActions = ({ store, partnerId }: Rig) =>
  store.inTenant(partnerId, async (trx) =>
    (await trx.selectFrom('audit_event').select('action').orderBy('id').execute()).map((row) => row.action),
  );

t.test('check-ins on both engines', async (t) => {
  await onBothEngines(t, {
    'a box with settings of a higher number is sent those of the relay under a higher one still': async (t, store) => {
      const rig = await rigOf(store);
      const { token, configGeneration } = await rig.send({ configGeneration: 7 });
      t.equal(configGeneration, 8);
      const next = await rig.send({ counter: 2, previousToken: token, configGeneration: 8 });
      t.equal(next.configGeneration, 8, 'and then they agree');
      const liar = await rig.send({ counter: 3, previousToken: next.token, configGeneration: 2 ** 40 });
      t.equal(liar.configGeneration, 8, 'one that makes numbers up gets nowhere');
      const again = await rig.send({ counter: 4, previousToken: liar.token, configGeneration: 9 });
      t.equal(again.configGeneration, 8, 'and each box is heard once an hour');
      rig.clock.advance(3_600_000);
      const later = await rig.send({ counter: 5, previousToken: again.token, configGeneration: 9 });
      t.equal(later.configGeneration, 10);
    },

    'the first check-in begins the chain and writes one row': async (t, store) => {
      const rig = await rigOf(store);
      const answer = await rig.send({
        timeNonce: 'A'.repeat(22),
        lanes: { ...checkinBody().lanes, telemetry: { depth: 7, oldestAgeMs: 900 } },
        clock: { nowMs: rig.clock.nowMs() + 86_400_000, quality: 'unsynced' },
      });
      t.match(answer, {
        state: 'active',
        timeMs: rig.clock.nowMs(),
        signedTime: `${'A'.repeat(22)} ${rig.clock.nowMs()}`,
        configGeneration: 1,
        pendingOrders: 0,
        nextCheckinMs: 60_000,
      });
      t.match(await liveRow(rig), {
        token: answer.token,
        previous_token: null,
        last_checkin_at_ms: rig.clock.nowMs(),
        clock_offset_ms: 86_400_000,
        queue_depth: 7,
        queue_oldest_ms: 900,
        online_since_ms: rig.clock.nowMs(),
      });
    },

    'a lost answer is given again, as often as it is asked for': async (t, store) => {
      const rig = await rigOf(store);
      const first = await rig.send({ counter: 1 });
      const lost = await rig.send({ counter: 2, previousToken: first.token });
      rig.clock.advance(1000);
      const again = await rig.send({ counter: 2, previousToken: first.token });
      const thrice = await rig.send({ counter: 2, previousToken: first.token });
      t.equal(again.token, lost.token);
      t.equal(thrice.token, lost.token);
      t.equal((await liveRow(rig)).last_checkin_at_ms, rig.clock.nowMs(), 'the box was heard');
      const next = await rig.send({ counter: 3, previousToken: again.token });
      t.equal(next.state, 'active');
      t.notMatch(await auditActions(rig), ['appliance.quarantined']);
    },

    'a check-in writes at most one row, whatever it comes to': async (t, store) => {
      const rig = await rigOf(store);
      const count = () => countRows(rig);
      const first = await rig.send();
      let before = await count();
      let token = first.token;
      for (let counter = 2; counter <= 6; counter += 1) ({ token } = await rig.send({ counter, previousToken: token }));
      t.same(await count(), before, 'no table grows');
      const written = await rowsWritten(store, () => rig.send({ counter: 7, previousToken: token }));
      if (store.sqliteBatch) t.equal(written, 1);
      await rig.send({ counter: 7, previousToken: token, devices: 3 });
      t.equal(await stateOf(rig), 'quarantined');
      before = await count();
      const stopped = await rowsWritten(store, () => rig.send({ counter: 9, devices: 3 }));
      if (store.sqliteBatch) t.equal(stopped, 1, 'in quarantine too');
      t.same(await count(), before);
    },

    'of two machines only the one that was named genuine goes on, for as long as it may take': async (t, store) => {
      const rig = await rigOf(store);
      const { box } = rig.sim;
      const [ours, theirs] = ['0f8fad5b-d9cb-469f-a165-70867728950e', '7c9e6679-7425-40de-944b-e07fc1f90ae7'];
      const { token } = await rig.send();
      const { token: next } = await rig.send({ counter: 2, previousToken: token });
      t.equal((await rig.send({ counter: 2, previousToken: token, bootId: theirs })).state, 'quarantined');
      const decide = () =>
        store.inTenant(rig.partnerId, (trx) =>
          releaseQuarantined(trx, {
            siteId: box.siteId,
            applianceId: box.applianceId,
            genuine: { bootId: ours, untilMs: rig.clock.nowMs() + 600_000 },
          }),
        );
      t.ok(await decide());
      t.equal(
        (await rig.send({ counter: 3, previousToken: next, bootId: theirs })).state,
        'quarantined',
        'it is quicker',
      );
      t.equal(await stateOf(rig), 'active', 'and held off, without stopping the genuine one');
      const real = await rig.send({ counter: 3, previousToken: next });
      t.equal(real.state, 'active');
      t.equal((await rig.send({ counter: 4, previousToken: next, bootId: theirs })).state, 'quarantined');
      t.equal(await stateOf(rig), 'quarantined', 'a copy that is still on is caught again');
      t.ok(await decide());
      rig.clock.advance(600_000);
      const restarted = await rig.send({ counter: 5, previousToken: real.token, bootId: theirs });
      t.equal(restarted.state, 'active', 'a machine that restarted meanwhile is not shut out for good');
    },

    'a used token with another body quarantines both copies, tells staff once and gives no orders': async (
      t,
      store,
    ) => {
      const rig = await rigOf(store);
      const first = await rig.send({ counter: 1 });
      const real = await rig.send({ counter: 2, previousToken: first.token });
      const clone = await rig.send({ counter: 2, previousToken: first.token, devices: 9 });
      t.match(clone, { state: 'quarantined', pendingOrders: 0 });
      t.equal(await stateOf(rig), 'quarantined');
      const afterwards = await rig.send({ counter: 3, previousToken: real.token });
      t.equal(afterwards.state, 'quarantined', 'the other copy is stopped too');
      const kept = await liveRow(rig);
      t.equal(kept.token, real.token, 'the chain stands still');
      t.equal(kept.counter, 3, 'and the box is still heard');
      const { applianceId, partnerId } = rig.sim.box;
      await t.rejects(
        store.inTenant(partnerId, (trx) => deliverOrders(trx, { applianceId, nowMs: rig.clock.nowMs() })),
        { code: 'APPLIANCE_QUARANTINED' },
      );
      t.same(
        (await auditActions(rig)).filter((action) => action === 'appliance.quarantined'),
        ['appliance.quarantined'],
      );
      t.match(await rig.registry.metrics(), /relay_checkins_total\{outcome="clone"\} 1/);
    },

    'a box ahead of a relay whose rows came from a backup goes on, once noted, and its copy is still caught': async (
      t,
      store,
    ) => {
      const rig = await rigOf(store);
      let { token } = await rig.send({ counter: 1 });
      const backup = await liveRow(rig);
      const tokens = [token];
      for (const counter of [2, 3, 4]) {
        ({ token } = await rig.send({ counter, previousToken: token }));
        tokens.push(token);
      }
      await store.inTenant(rig.partnerId, (trx) => trx.updateTable('appliance_live').set(backup).execute());
      const next = await rig.send({ counter: 5, previousToken: token });
      t.equal(next.state, 'active');
      const after = await rig.send({ counter: 6, previousToken: next.token });
      t.equal(after.state, 'active');
      t.same(
        (await auditActions(rig)).filter((action) => action === 'checkin.state_restored'),
        ['checkin.state_restored'],
      );
      t.match(await rig.registry.metrics(), /relay_checkins_total\{outcome="restored"\} 1/);
      const copy = await rig.send({ counter: 5, previousToken: tokens[2] ?? null, devices: 9 });
      t.equal(copy.state, 'quarantined', 'an older token was used already');
    },

    'a token from before tokens had a MAC continues its chain and cannot prove to be newer': async (t, store) => {
      const rig = await rigOf(store);
      await rig.send({ counter: 1 });
      const set = (token: string) =>
        store.inTenant(rig.partnerId, (trx) => trx.updateTable('appliance_live').set({ token }).execute());
      await set('A'.repeat(22));
      const next = await rig.send({ counter: 2, previousToken: 'A'.repeat(22) });
      t.equal(next.state, 'active');
      await set('A'.repeat(22));
      t.equal((await rig.send({ counter: 3, previousToken: next.token })).state, 'active', 'newer than any of those');
      t.equal((await rig.send({ counter: 4, previousToken: 'B'.repeat(22) })).state, 'quarantined');
    },

    'a released box begins its chain anew, and of two copies the second is caught again': async (t, store) => {
      const rig = await rigOf(store);
      const { siteId, applianceId } = rig.sim.box;
      const release = (at = siteId) =>
        store.inTenant(rig.partnerId, (trx) => releaseQuarantined(trx, { siteId: at, applianceId }));
      let { token: used } = await rig.send({ counter: 1 });
      ({ token: used } = await rig.send({ counter: 2, previousToken: used }));
      t.equal(await release(), false, 'it is not in quarantine');
      let { token: real } = await rig.send({ counter: 3, previousToken: used });
      let { token: copy } = await rig.send({ counter: 3, previousToken: used, devices: 9 });
      for (const counter of [4, 5, 6]) {
        ({ token: real } = await rig.send({ counter, previousToken: real }));
        ({ token: copy } = await rig.send({ counter, previousToken: copy, devices: 9 }));
      }
      t.equal(await release(`site_${'a'.repeat(26)}`), false, 'it is at another site');
      t.equal(await release(), true);
      t.equal(await stateOf(rig), 'active');
      const first = await rig.send({ counter: 7, previousToken: copy, devices: 9 });
      t.equal(first.state, 'active');
      t.equal((await rig.send({ counter: 8, previousToken: first.token, devices: 9 })).state, 'active');
      t.equal((await rig.send({ counter: 7, previousToken: real })).state, 'quarantined');
      t.notMatch(await auditActions(rig), ['checkin.state_restored']);
    },

    'a chain begun anew is a clone, unless the box was claimed anew': async (t, store) => {
      const rig = await rigOf(store);
      await rig.send({ counter: 1 });
      await store.inTenant(rig.partnerId, (trx) =>
        trx
          .updateTable('appliance')
          .set({ claimed_at_ms: rig.clock.nowMs() + 1 })
          .where('id', '=', rig.sim.box.applianceId)
          .execute(),
      );
      rig.clock.advance(10);
      const anew = await rig.send({ counter: 1, devices: 1 });
      t.equal(anew.state, 'active');
      const clone = await rig.send({ counter: 1, devices: 2 });
      t.equal(clone.state, 'quarantined');
    },

    'a revoked and an unknown box are refused and leave nothing': async (t, store) => {
      const rig = await rigOf(store);
      await store.inTenant(rig.partnerId, (trx) =>
        trx.updateTable('appliance').set({ state: 'revoked' }).where('id', '=', rig.sim.box.applianceId).execute(),
      );
      await t.rejects(rig.send(), { code: 'APPLIANCE_REVOKED' });
      const stranger = { ...rig.sim, box: { ...rig.sim.box, applianceId: `app_${'a'.repeat(26)}` } };
      await t.rejects(rig.send({}, stranger), { code: 'APPLIANCE_UNKNOWN' });
      const otherPartner = await seedPartner(store, 'Other');
      const foreign = { ...rig.sim, box: { ...rig.sim.box, partnerId: otherPartner } };
      await t.rejects(rig.send({}, foreign), { code: 'APPLIANCE_UNKNOWN' });
      const rows = await store.inTenant(rig.partnerId, (trx) => trx.selectFrom('appliance_live').selectAll().execute());
      t.same(rows, []);
    },

    'check-ins of many boxes and tenants that arrive together are each stored and answered': async (t, store) => {
      const rig = await rigOf(store);
      const boxes: SimBox[] = [];
      for (let tenant = 0; tenant < 3; tenant += 1) {
        const partnerId = await seedPartner(store, `P${tenant}`);
        for (let n = 0; n < 20; n += 1) {
          const { siteId } = await seedSite(store, partnerId, `S${n}`);
          boxes.push(await seedBox(store, { partnerId, siteId }));
        }
      }
      const answers = await Promise.all(boxes.map((box, n) => rig.send({ counter: n }, box)));
      t.equal(new Set(answers.map(({ token }) => token)).size, boxes.length);
      const second = await Promise.all(
        boxes.map((box, n) => rig.send({ counter: n + 1, previousToken: answers[n]?.token ?? null }, box)),
      );
      t.ok(second.every(({ state }) => state === 'active'));
    },

    'two check-ins of one box in one batch follow each other': async (t, store) => {
      const rig = await rigOf(store);
      const [first, repeated] = await Promise.all([rig.send({ counter: 1 }), rig.send({ counter: 1 })]);
      t.equal(first?.token, repeated?.token);
      const both = await Promise.all([
        rig.send({ counter: 2, previousToken: first?.token ?? null }),
        rig.send({ counter: 2, previousToken: first?.token ?? null, devices: 5 }),
      ]);
      t.same(both.map(({ state }) => state).sort(), ['active', 'quarantined']);
    },

    'how long a box has been online survives check-ins and ends with a gap': async (t, store) => {
      const rig = await rigOf(store);
      const beganMs = rig.clock.nowMs();
      let { token } = await rig.send({ counter: 1 });
      rig.clock.advance(299_999);
      ({ token } = await rig.send({ counter: 2, previousToken: token }));
      t.equal((await liveRow(rig)).online_since_ms, beganMs);
      rig.clock.advance(300_000);
      await rig.send({ counter: 3, previousToken: token });
      t.equal((await liveRow(rig)).online_since_ms, rig.clock.nowMs());
    },

    'orders that wait are counted until they run out': async (t, store) => {
      const rig = await rigOf(store);
      const nowMs = rig.clock.nowMs();
      const { applianceId, partnerId, siteId } = rig.sim.box;
      const order = (seq: number, state: string, expiresAtMs: number) => ({
        id: `ord_${String.fromCharCode(96 + seq).repeat(26)}`,
        partner_id: partnerId,
        site_id: siteId,
        appliance_id: applianceId,
        epoch: 1,
        seq,
        action: 'run_check',
        params: '{}',
        state,
        code: null,
        detail: '',
        requested_by: 'x',
        envelope: `e${seq}`,
        created_at_ms: nowMs,
        changed_at_ms: nowMs,
        expires_at_ms: expiresAtMs,
      });
      await store.inTenant(partnerId, (trx) =>
        trx
          .insertInto('site_order')
          .values([
            order(1, 'queued', nowMs + 1000),
            order(2, 'delivered', nowMs + 1000),
            order(3, 'done', nowMs + 1000),
            order(4, 'queued', nowMs),
          ])
          .execute(),
      );
      t.equal((await rig.send()).pendingOrders, 2);
    },
  });
});

t.test('more check-ins than may wait are told to come again', async (t) => {
  const { Batcher } = await import('../../../relay/lib/batcher.ts');
  let release = () => {};
  const blocked = new Promise<void>((resolve) => {
    release = resolve;
  });
  const batcher = new Batcher<number, number>({
    commit: async (items) => {
      await blocked;
      return items.map((item) => item * 2);
    },
    maxBatch: 2,
    maxDelayMs: 2,
    maxQueue: 3,
  });
  const taken = [1, 2, 3].map((item) => batcher.add(item));
  t.ok(taken.every(Boolean));
  t.equal(batcher.add(4), undefined);
  release();
  t.same(await Promise.all(taken), [2, 4, 6]);
});

t.test('a failed commit fails exactly its own batch', async (t) => {
  const { Batcher } = await import('../../../relay/lib/batcher.ts');
  const batches: number[][] = [];
  const batcher = new Batcher<number, number>({
    commit: async (items) => {
      batches.push(items);
      if (items.includes(1)) throw new Error('disk');
      return items;
    },
    maxBatch: 2,
    maxDelayMs: 2,
    maxQueue: 10,
  });
  const results = await Promise.allSettled([1, 2, 3, 4].map((item) => batcher.add(item)));
  t.same(batches, [
    [1, 2],
    [3, 4],
  ]);
  t.same(
    results.map(({ status }) => status),
    ['rejected', 'rejected', 'fulfilled', 'fulfilled'],
  );
});
