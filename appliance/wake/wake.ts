import type { WakeReason } from '@sitewarden/agent-proto/wake';
import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { trimMemory } from '@sitewarden/kit/memory';
import type { ApplianceContext } from '../lib/context.ts';
import type { WakeAccess } from '../lib/wake-access.ts';
import { state } from '../store/index.ts';
import { openConnection } from './connection.ts';
import { createPace, WAKE_PACE } from './pace.ts';
import { reconnectDelayMs, STEADY_MS, type WakeEnd } from './schedule.ts';

export interface WakeSnapshot {
  /** off: by the configuration. waiting: for a good check-in, or for the next try. refused: until a good check-in. */
  readonly state: 'off' | 'waiting' | 'connected' | 'refused';
  readonly sinceMs: number | null;
  /** Why the last connection ended; null while there is one. */
  readonly code: string | null;
}

export interface Wake extends LifecyclePart {
  snapshot(): WakeSnapshot;
  /** A check-in was answered; `isActive`: with this box in service. Nothing is opened before. */
  onCheckin(isActive: boolean): void;
  /** The relay refused this box. */
  onRefused(): void;
}

export interface WakeOptions {
  readonly ctx: ApplianceContext;
  readonly access: WakeAccess;
  /** Asks the relay what there is. Resolves when it was asked; answers how long to leave it alone when it refused. */
  follow(why: WakeReason): Promise<number | undefined>;
  readonly random?: () => number;
}

/** The library is loaded by then, a burst that an idle box would keep the memory of. Once is enough. */
const TRIM_AFTER_MS = 4000;
/** A fleet that gets its answers together must not connect together. */
const SPREAD_MS = 2000;

/**
 * Listens for wakes. It is a hint and nothing more: check-ins go on at their own pace whatever happens here, and what a
 * wake leads to is bounded by this box alone.
 */
export function createWake({ ctx, access, follow, random = Math.random }: WakeOptions): Wake {
  const { config, clock, db, log, metrics } = ctx;
  const isEnabled = config.checkin.wake;
  const pace = createPace(WAKE_PACE);
  const wanted = new Set<WakeReason>();
  let phase: WakeSnapshot['state'] = isEnabled ? 'waiting' : 'off';
  let sinceMs: number | null = null;
  let lastCode: string | null = null;
  let isOn = false;
  let close: (() => void) | undefined;
  let retry: NodeJS.Timeout | undefined;
  let trim: NodeJS.Timeout | undefined;
  let next: NodeJS.Timeout | undefined;
  let following: Promise<void> | undefined;
  let attempt = 0;
  let upAtMs: number | undefined;

  function become(to: WakeSnapshot['state'], code: string | null): void {
    if (phase !== to) sinceMs = clock.nowMs();
    phase = to;
    lastCode = code;
    metrics.wakeConnected.set(to === 'connected' ? 1 : 0);
  }

  function hangUp(to: 'waiting' | 'refused', code: string | null): void {
    clearTimeout(retry);
    retry = undefined;
    close?.();
    close = undefined;
    if (phase !== 'off') become(to, code);
  }

  function open(): void {
    retry = undefined;
    const claim = state.get(db, 'claim');
    if (!isOn || close !== undefined || claim?.phase !== 'claimed') return;
    upAtMs = undefined;
    close = openConnection({
      access,
      applianceId: claim.site.applianceId,
      onUp() {
        upAtMs = clock.monotonicMs();
        become('connected', null);
        trim ??= setTimeout(trimMemory, TRIM_AFTER_MS).unref();
        log.info('the relay can wake this box');
        // What came while nobody listened.
        onWake('orders');
      },
      onWake,
      onEnd,
    });
  }

  function onEnd({ kind, code }: WakeEnd): void {
    close = undefined;
    const wasSteady = upAtMs !== undefined && clock.monotonicMs() - upAtMs >= STEADY_MS;
    if (wasSteady) attempt = 0;
    const delayMs = reconnectDelayMs({ kind, attempt, random });
    attempt += 1;
    become(delayMs === undefined ? 'refused' : 'waiting', code);
    log.info({ code, delayMs }, 'the relay cannot wake this box; orders come with check-ins');
    if (isOn && delayMs !== undefined) retry = setTimeout(open, delayMs);
  }

  function onWake(why: WakeReason): void {
    metrics.wakes.inc({ why });
    wanted.add(why);
    pump();
  }

  function pump(): void {
    if (!isOn || following !== undefined || next !== undefined || wanted.size === 0) return;
    const waitMs = pace.take(clock.monotonicMs());
    if (waitMs > 0) {
      next = setTimeout(() => {
        next = undefined;
        pump();
      }, waitMs);
      return;
    }
    // A check-in finds orders too.
    const why = wanted.has('config') ? 'config' : 'orders';
    wanted.clear();
    following = follow(why)
      .then((holdMs) => {
        if (holdMs !== undefined) pace.hold(clock.monotonicMs() + holdMs);
      })
      .catch((error: unknown) => log.error({ err: error }, 'a wake could not be followed'))
      .finally(() => {
        following = undefined;
        pump();
      });
  }

  return {
    name: 'wake',
    start() {
      isOn = true;
    },
    async stop() {
      isOn = false;
      clearTimeout(next);
      clearTimeout(trim);
      hangUp('waiting', null);
      await following;
    },
    snapshot: () => ({ state: phase, sinceMs, code: lastCode }),
    onCheckin(isActive) {
      if (!isEnabled || !isOn) return;
      if (!isActive) hangUp('refused', 'WAKE_REFUSED');
      else if (close === undefined && retry === undefined) retry = setTimeout(open, random() * SPREAD_MS);
    },
    onRefused: () => hangUp('refused', 'WAKE_REFUSED'),
  };
}
