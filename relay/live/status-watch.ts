import { STATUS_LIMITS } from '../fleet/index.ts';
import type { Store } from '../store/index.ts';
import { listHeardWithin } from '../store/repositories/live.ts';
import type { LiveBus } from './bus.ts';

/** A status turns by itself when a box falls silent; pages hear of it at most this late. */
const EVERY_MS = 2000;

/** Ages at which the value is another one than a millisecond before. */
const FLIP_AGES_MS = [STATUS_LIMITS.staleFromMs, STATUS_LIMITS.staleThroughMs + 1];

export interface StatusWatch {
  stop(): void;
}

/**
 * Tells open pages that the status of a site turned although nothing arrived: of tenants somebody looks at, the boxes
 * whose age crossed a limit since the last look.
 */
export function startStatusWatch(
  { store, bus, nowMs, onError }: { store: Store; bus: LiveBus; nowMs(): number; onError(error: unknown): void },
  everyMs = EVERY_MS,
): StatusWatch {
  let lookedAtMs = nowMs();
  let isBusy = false;

  async function look(): Promise<void> {
    const sinceMs = lookedAtMs;
    const untilMs = nowMs();
    lookedAtMs = untilMs;
    const spans = FLIP_AGES_MS.map((ageMs) => ({ afterMs: sinceMs - ageMs, throughMs: untilMs - ageMs }));
    for (const partnerId of bus.tenants()) {
      const siteIds = await store.inTenant(partnerId, (trx) => listHeardWithin(trx, spans));
      for (const siteId of siteIds) bus.publish(partnerId, { kind: 'site', siteId, atMs: untilMs });
    }
  }

  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    look()
      .catch(onError)
      .finally(() => {
        isBusy = false;
      });
  }, everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
