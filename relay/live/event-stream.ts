import { Readable } from 'node:stream';
import type { LiveBus, LiveChange } from './bus.ts';

/** The page shows that it is live as long as ticks come, and says so when they stop (10 s without one). */
const TICK_MS = 5000;
/** A session that ended closes its stream within this. */
const SESSION_CHECK_MS = 1000;
/** Changes of the same kind and site within this are one event. */
const GATHER_MS = 100;
/** A client that reads nothing for so long, or falls so far behind, is cut: its page fetches everything again anyway. */
const MAX_STALL_MS = 15_000;
const MAX_PENDING = 1000;

export interface EventStreamOptions {
  bus: LiveBus;
  partnerId: string;
  nowMs(): number;
  /** Whether a change at this site (null: no one site) is for this reader. Default: all are. */
  mayHear?(siteId: string | null): boolean;
  /** Is the session this stream was opened with still good? */
  isAlive(): Promise<boolean>;
  /** Default: as above. */
  tickMs?: number;
  sessionCheckMs?: number;
}

/**
 * Server-sent events of one open page: `change` (LiveChange as JSON) and `tick` ({asOfMs}) every 5 s, the first at once.
 * Ends with the session (`event: end`), is destroyed when its client stalls, and stops listening in either case.
 */
export function createEventStream(options: EventStreamOptions): Readable {
  const {
    bus,
    partnerId,
    nowMs,
    isAlive,
    mayHear = () => true,
    tickMs = TICK_MS,
    sessionCheckMs = SESSION_CHECK_MS,
  } = options;
  const pending = new Map<string, LiveChange>();
  let gathering: NodeJS.Timeout | undefined;
  let blockedSinceMs: number | undefined;
  let isChecking = false;

  const stream = new Readable({
    highWaterMark: 64 * 1024,
    read() {
      blockedSinceMs = undefined;
      flush();
    },
    destroy(error, done) {
      clearTimeout(gathering);
      clearInterval(ticks);
      clearInterval(checks);
      unsubscribe();
      done(error);
    },
  });

  function write(event: string, data: object): void {
    const hasRoom = stream.push(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    if (!hasRoom) blockedSinceMs ??= performance.now();
  }

  function flush(): void {
    clearTimeout(gathering);
    gathering = undefined;
    for (const [key, change] of pending) {
      if (blockedSinceMs !== undefined) return;
      pending.delete(key);
      write('change', change);
    }
  }

  function end(): void {
    if (stream.destroyed || stream.readableEnded) return;
    unsubscribe();
    clearInterval(ticks);
    clearInterval(checks);
    write('end', { asOfMs: nowMs() });
    stream.push(null);
  }

  async function checkSession(): Promise<void> {
    if (blockedSinceMs !== undefined && performance.now() - blockedSinceMs > MAX_STALL_MS) {
      stream.destroy();
      return;
    }
    // A store that is slow or away says nothing about the session: the next check tells.
    if (isChecking) return;
    isChecking = true;
    try {
      if (!(await isAlive())) end();
    } catch {
      // Asked again in a second.
    } finally {
      isChecking = false;
    }
  }

  const unsubscribe = bus.subscribe(partnerId, {
    onChange(change) {
      if (!mayHear(change.siteId)) return;
      pending.set(`${change.kind} ${change.siteId ?? ''}`, change);
      if (pending.size > MAX_PENDING) stream.destroy();
      else if (blockedSinceMs === undefined) gathering ??= setTimeout(flush, GATHER_MS);
    },
    onClose: end,
  });
  const ticks = setInterval(() => {
    if (blockedSinceMs === undefined) write('tick', { asOfMs: nowMs() });
  }, tickMs);
  const checks = setInterval(() => void checkSession(), sessionCheckMs);
  stream.push('retry: 2000\n\n');
  write('tick', { asOfMs: nowMs() });
  return stream;
}
