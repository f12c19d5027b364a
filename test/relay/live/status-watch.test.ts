import t from 'tap';
import { createLiveBus, startStatusWatch } from '../../../relay/live/index.ts';
import { seedPartner, seedSite, testClock } from '../../helpers/relay.ts';
import { onBothEngines } from '../../helpers/relay-stores.ts';
import { checkinBody, seedBox } from '../../helpers/sim-box.ts';

t.test('a status that turns by itself is told', async (t) => {
  await onBothEngines(t, {
    'at 5 and 15 minutes, once each, and only for tenants somebody looks at': async (t, store) => {
      const clock = testClock(1_800_000_000_000);
      const bus = createLiveBus();
      const partnerId = await seedPartner(store);
      const { siteId } = await seedSite(store, partnerId);
      const { box } = await seedBox(store, { partnerId, siteId });
      await store.inTenant(partnerId, (trx) =>
        trx
          .insertInto('appliance_live')
          .values({
            appliance_id: box.applianceId,
            partner_id: partnerId,
            site_id: siteId,
            last_checkin_at_ms: clock.nowMs(),
            counter: 1,
            token: 't',
            previous_token: null,
            previous_body_hash: null,
            boot_id: 'b',
            clock_offset_ms: 0,
            body: JSON.stringify(checkinBody()),
            online_since_ms: null,
            queue_depth: 0,
            queue_oldest_ms: 0,
          })
          .execute(),
      );
      const heard: number[] = [];
      let onHeard = () => {};
      const beganMs = clock.nowMs();
      bus.subscribe(partnerId, {
        onChange: (change) => {
          t.same([change.kind, change.siteId], ['site', siteId]);
          heard.push(clock.nowMs() - beganMs);
          onHeard();
        },
      });
      const faults: unknown[] = [];
      const watch = startStatusWatch(
        { store, bus, nowMs: () => clock.nowMs(), onError: (fault) => faults.push(fault) },
        5,
      );
      const next = (ms: number) =>
        new Promise<void>((resolve, reject) => {
          const late = setTimeout(() => reject(new Error('nothing was heard')), 20_000);
          onHeard = () => {
            clearTimeout(late);
            resolve();
          };
          clock.advance(ms);
        });
      clock.advance(299_999);
      await next(1);
      clock.advance(599_000);
      await next(1_001);
      watch.stop();
      t.same(heard, [300_000, 900_001]);
      t.same(faults, []);
    },
  });
});
