import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import type { TestBox } from '../helpers/box.ts';
import { seedPartner, seedSite, startTestRelay, type TestClock, testClock } from '../helpers/relay.ts';
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
 * through the API at moments around every flip. The control is the same loop with the relay's clock at the box's time while
 * it takes in the check-in, as if it believed what the box claims.
 */
export async function run({ full }: { full: boolean; seed: number }): Promise<ProofResult> {
  const undo: (() => Promise<void>)[] = [];
  const clock = testClock();
  try {
    const relay = await startTestRelay((fn) => undo.push(fn), { clock });
    const partnerId = await seedPartner(relay.store);
    const admin = await relay.staff(partnerId, 'admin');
    const offsets = full ? [-DAY_MS, -3_600_000, 0, 3_600_000, DAY_MS] : [-DAY_MS, DAY_MS];
    const steps = full ? momentsEvery(1_000) : momentsEvery(60_000);
    // All are claimed before the clock moves: a new box signs with this host's time.
    const watched: Watched[] = [];
    for (const believesBox of [false, true]) {
      for (const offsetMs of offsets) {
        const { siteId } = await seedSite(relay.store, partnerId, `offset ${offsetMs} ${believesBox}`);
        const { box } = await relay.claim(admin, siteId);
        const status = async () =>
          (await admin.call<{ summary: { status: Status } }>('site', { params: { siteId } })).body.summary.status;
        watched.push({ offsetMs, believesBox, box, status });
      }
    }
    const kept = { cases: 0, failures: 0 };
    const control = { cases: 0, failures: 0 };
    for (const one of watched) await watch(one, { clock, steps, tally: one.believesBox ? control : kept });
    return {
      ...kept,
      control: {
        expectedToFail: true,
        failed: control.failures > 0,
        detail: `a relay that takes the box's time for its own is wrong ${control.failures} times of ${control.cases}`,
      },
    };
  } finally {
    for (const fn of undo.reverse()) await fn();
  }
}

interface Watched {
  readonly offsetMs: number;
  readonly believesBox: boolean;
  readonly box: TestBox;
  readonly status: () => Promise<Status>;
}

/** One check-in, then the status at every moment after it, each compared with what is true. */
async function watch(
  { offsetMs, believesBox, box, status: statusOf }: Watched,
  { clock, steps, tally }: { clock: TestClock; steps: number[]; tally: { cases: number; failures: number } },
): Promise<void> {
  const note = (isTrue: boolean) => {
    tally.cases += 1;
    if (!isTrue) tally.failures += 1;
  };
  note((await statusOf()).value === 'pending');
  const sentAt = clock.nowMs();
  const shiftMs = believesBox ? offsetMs : 0;
  clock.advance(shiftMs);
  const answer = await box.send(BOX_PATHS.checkin, {
    createdS: Math.floor(clock.nowMs() / 1000),
    body: checkinBody({ clock: { nowMs: sentAt + offsetMs, quality: 'unsynced' } }),
  });
  clock.advance(-shiftMs);
  if (answer.status !== 200) {
    throw new Error(`the check-in was answered ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  for (const ageMs of steps) {
    clock.advance(sentAt + ageMs - clock.nowMs());
    const status = await statusOf();
    note(
      status.value === expectedAt(ageMs) &&
        Math.abs((status.ageMs ?? -1) - ageMs) <= TOLERANCE_MS &&
        status.reason.length > 0,
    );
  }
}

/** Every `stepMs` from 0 to 17 min, and both sides of each flip at the tolerance. */
function momentsEvery(stepMs: number): number[] {
  const regular = Array.from({ length: Math.floor((17 * MINUTE_MS) / stepMs) }, (_, index) => index * stepMs);
  const flips = [5, 15].flatMap((minutes) => [minutes * MINUTE_MS - TOLERANCE_MS, minutes * MINUTE_MS + TOLERANCE_MS]);
  return [...new Set([...regular, ...flips])].sort((a, b) => a - b);
}
