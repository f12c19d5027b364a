import fc from 'fast-check';
import { Registry } from 'prom-client';
import t from 'tap';
import { availabilityOf, KEEP_DAYS_MS, KEEP_HOURS_MS, rollUp } from '../../../relay/history/index.ts';
import { DAY_MS, HOUR_MS, LAG_MS, possibleMs, seenByHour } from '../../../relay/history/seen.ts';
import { checkinService } from '../../../relay/routes/checkin.ts';
import { onBothRelays } from '../../helpers/both-relays.ts';
import { seedPartner, seedSite, testClock } from '../../helpers/relay.ts';
import { checkinBody } from '../../helpers/sim-box.ts';

const time = fc.integer({ min: 0, max: 10 * HOUR_MS });

t.test('what was seen falls into its hours, and none counts more than it lasts', async () => {
  fc.assert(
    fc.property(time, time, time, time, (a, b, c, d) => {
      const [fromMs, toMs] = [Math.min(a, b), Math.max(a, b)];
      const heard = { onlineSinceMs: Math.min(c, d), lastCheckinAtMs: Math.max(c, d) };
      const hours = seenByHour(heard, { fromMs, toMs });
      const sum = hours.reduce((total, { seenMs }) => total + seenMs, 0);
      const expected = Math.max(0, Math.min(toMs, heard.lastCheckinAtMs) - Math.max(fromMs, heard.onlineSinceMs));
      return sum === expected && hours.every((hour) => hour.fromMs % HOUR_MS === 0 && hour.seenMs <= HOUR_MS);
    }),
  );
});

t.test('windows one after the other count every moment once', async () => {
  fc.assert(
    fc.property(fc.array(time, { minLength: 2, maxLength: 20 }), time, time, (marks, c, d) => {
      const cuts = [...marks].sort((x, y) => x - y);
      const heard = { onlineSinceMs: Math.min(c, d), lastCheckinAtMs: Math.max(c, d) };
      const total = (list: { seenMs: number }[]) => list.reduce((sum, { seenMs }) => sum + seenMs, 0);
      const parts = cuts.slice(1).map((toMs, index) => total(seenByHour(heard, { fromMs: cuts[index] ?? 0, toMs })));
      const whole = total(seenByHour(heard, { fromMs: cuts[0] ?? 0, toMs: cuts.at(-1) ?? 0 }));
      return parts.reduce((sum, ms) => sum + ms, 0) === whole;
    }),
  );
});

t.test('of a span counts what lies between the first claim and what is rolled up', async (t) => {
  const hour = { fromMs: HOUR_MS, lengthMs: HOUR_MS };
  t.equal(possibleMs(hour, { fromMs: 0, throughMs: 5 * HOUR_MS }), HOUR_MS);
  t.equal(possibleMs(hour, { fromMs: 1.5 * HOUR_MS, throughMs: 5 * HOUR_MS }), HOUR_MS / 2);
  t.equal(possibleMs(hour, { fromMs: 3 * HOUR_MS, throughMs: 5 * HOUR_MS }), 0);
});

await onBothRelays(t, {
  'check-ins are rolled up into hours and days, an outage shows, and old rows go': async (t, start) => {
    const clock = testClock();
    const relay = await start({ clock });
    const partnerId = await seedPartner(relay.store);
    const { siteId } = await seedSite(relay.store, partnerId);
    const { applianceId } = await relay.claim(await relay.staff(partnerId, 'admin'), siteId);
    const midnight = (Math.floor(clock.nowMs() / DAY_MS) + 1) * DAY_MS;
    clock.advance(midnight + LAG_MS - clock.nowMs());
    const service = checkinService({ ...relay.services, metrics: new Registry() });
    let token: string | null = null;
    let counter = 0;
    const checkin = async () => {
      counter += 1;
      const body = checkinBody({ counter, previousToken: token });
      const raw = Buffer.from(JSON.stringify(body));
      ({ token } = await service.checkin({ applianceId, partnerId, epoch: 1 }, body, raw));
    };
    const roll = () => rollUp(relay.store, clock.nowMs());
    const read = () =>
      relay.store.inTenant(partnerId, (trx) => availabilityOf(trx, { partnerId, siteId, nowMs: clock.nowMs() }));

    await roll();
    for (let minute = 0; minute < 60; minute += 4) {
      await checkin();
      clock.advance(4 * 60_000);
      if (minute % 12 === 0) await roll();
    }
    clock.advance(60 * 60_000);
    await roll();
    const { hours } = await read();
    const first = hours.find(({ fromMs }) => fromMs === midnight);
    t.match(first, { seenMs: 55 * 60_000, ofMs: HOUR_MS }, 'what lies between check-ins');
    t.match(
      hours.find(({ fromMs }) => fromMs === midnight + HOUR_MS),
      { seenMs: 60_000, ofMs: HOUR_MS },
      'the outage began a minute into it',
    );
    t.match(hours[0], { seenMs: 0, ofMs: 0 }, 'before the claim nothing is known');
    await roll();
    t.same((await read()).hours, hours, 'rolled up twice it is the same');

    clock.advance(DAY_MS);
    await roll();
    const { days } = await read();
    t.match(
      days.find(({ fromMs }) => fromMs === midnight),
      { seenMs: 56 * 60_000, ofMs: DAY_MS },
    );

    const spans = () =>
      relay.store.inTenant(partnerId, async (trx) =>
        (await trx.selectFrom('availability').select('span').orderBy('span').execute()).map(({ span }) => span),
      );
    t.same(await spans(), ['day', 'hour', 'hour']);
    clock.advance(KEEP_HOURS_MS);
    await roll();
    t.same(await spans(), ['day']);
    clock.advance(KEEP_DAYS_MS);
    await roll();
    t.same(await spans(), []);
  },
});
