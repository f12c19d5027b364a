import type { Duplex } from 'node:stream';
import { type WakeReason, wakeTopic } from '@sitewarden/agent-proto/wake';
import type { Box } from '../lib/identity.ts';
import type { Place } from './places.ts';

/** One connection, from its acceptance to its end. */
export interface WakeConnection {
  readonly stream: Duplex;
  readonly place: Place;
  /** What its CONNECT asked for that is not given. */
  fault: string | undefined;
  /** Once its CONNECT verified. */
  box: Box | undefined;
  /** Once it listens to its topic. */
  pace: WakePace | undefined;
}

/** Many orders given at once are one wake now and one after this. */
const GAP_MS = 250;

export interface WakePace {
  wake(why: WakeReason): void;
  stop(): void;
}

/** Sends the first wake at once and gathers what follows within the gap: a wake says only that there is something. */
export function createWakePace(send: (why: WakeReason) => void, gapMs = GAP_MS): WakePace {
  const waiting = new Set<WakeReason>();
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    timer = undefined;
    if (waiting.size === 0) return;
    const all = [...waiting];
    waiting.clear();
    timer = setTimeout(flush, gapMs).unref();
    for (const why of all) send(why);
  }

  return {
    wake(why) {
      waiting.add(why);
      if (timer === undefined) flush();
    },
    stop() {
      clearTimeout(timer);
      waiting.clear();
    },
  };
}

export const wakePacket = (applianceId: string, why: WakeReason) =>
  ({
    cmd: 'publish',
    topic: wakeTopic(applianceId),
    payload: Buffer.from(why),
    qos: 0,
    retain: false,
    dup: false,
  }) as const;
