import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import { seedPartner, seedSite, startTestRelay, testClock } from '../helpers/relay.ts';
import { checkinBody } from '../helpers/sim-box.ts';
import type { ProofResult } from './promises.ts';

interface Status {
  value: string;
  ageMs: number | null;
  reason: string;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** How far a flip may be from 5:00 and 15:00. */
const TOLERANCE_MS = 5_000;

const expectedAt = (ageMs: number): string =>
  ageMs < 5 * MINUTE_MS ? 'online' : ageMs <= 15 * MINUTE_MS ? 'stale' : 'offline';

/**
 * Fleet status is true: a real relay under an injected clock, boxes whose own clocks are a day off, and the status staff see
 * through the API at moments around every flip. The control derives status from the time the box claims instead.
 */
export async function run({ full }: { full: boolean; seed: number }): Promise<ProofResult> {
  const undo: (() => Promise<void>)[] = [];
  const clock = testClock();
  try {
    const relay = await startTestRelay((fn) => undo.push(fn), { clock });
    const partnerId = await seedPartner(relay.store);
    const admin = await relay.staff(partnerId, 'admin');
    const statusOf = async (siteId: string) =>
      (await admin.call<{ summary: { status: Status } }>('site', { params: { siteId } })).body.summary.status;
    const offsets = full ? [-DAY_MS, -3_600_000, 0, 3_600_000, DAY_MS] : [-DAY_MS, DAY_MS];
    const steps = full ? momentsEvery(1_000) : momentsEvery(60_000);
    let cases = 0;
    let failures = 0;
    let controlFailures = 0;
    // All are claimed before the clock moves: a new box signs with this host's time.
    const boxes = [];
    for (const offsetMs of offsets) {
      const { siteId } = await seedSite(relay.store, partnerId, `offset ${offsetMs}`);
      boxes.push({ offsetMs, siteId, box: (await relay.claim(admin, siteId)).box });
    }
    for (const { offsetMs, siteId, box } of boxes) {
      const pending = await statusOf(siteId);
      cases += 1;
      if (pending.value !== 'pending') failures += 1;
      const sentAt = clock.nowMs();
      const answer = await box.send(BOX_PATHS.checkin, {
        createdS: Math.floor(sentAt / 1000),
        body: checkinBody({ clock: { nowMs: sentAt + offsetMs, quality: 'unsynced' } }),
      });
      if (answer.status !== 200)
        throw new Error(`the check-in was answered ${answer.status} ${JSON.stringify(answer.body)}`);
      for (const ageMs of steps) {
        clock.advance(sentAt + ageMs - clock.nowMs());
        const status = await statusOf(siteId);
        cases += 1;
        const isTrue =
          status.value === expectedAt(ageMs) &&
          Math.abs((status.ageMs ?? -1) - ageMs) <= TOLERANCE_MS &&
          status.reason.length > 0;
        if (!isTrue) failures += 1;
        // What a relay that believed the box's clock would say at the same moment.
        if (expectedAt(clock.nowMs() - (sentAt + offsetMs)) !== expectedAt(ageMs)) controlFailures += 1;
      }
    }
    return {
      cases,
      failures,
      control: {
        expectedToFail: true,
        failed: controlFailures > 0,
        detail: `status by the box's clock is wrong ${controlFailures} times`,
      },
    };
  } finally {
    for (const fn of undo.reverse()) await fn();
  }
}

/** Every `stepMs` from 0 to 17 min, and both sides of each flip at the tolerance. */
function momentsEvery(stepMs: number): number[] {
  const regular = Array.from({ length: Math.floor((17 * MINUTE_MS) / stepMs) }, (_, index) => index * stepMs);
  const flips = [5, 15].flatMap((minutes) => [minutes * MINUTE_MS - TOLERANCE_MS, minutes * MINUTE_MS + TOLERANCE_MS]);
  return [...new Set([...regular, ...flips])].sort((a, b) => a - b);
}
