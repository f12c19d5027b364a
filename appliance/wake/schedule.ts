import { nextDelayMs, RETRY_SCHEDULES } from '@sitewarden/kit/backoff';

/**
 * How a connection ended. refused: the relay does not take this box, and a good check-in must come before the next try.
 * busy: not now. absent: what answers there speaks no MQTT, like a proxy that passes no upgrade on. lost: all else.
 */
export type EndKind = 'refused' | 'busy' | 'absent' | 'lost';

export interface WakeEnd {
  readonly kind: EndKind;
  readonly code: string;
}

/** The window in which the relay counts connections. */
const BUSY_MS = 60_000;
const ABSENT_MS = 5 * 60_000;
/** Shorter than this a connection was no success: a broker that lets in and cuts is not to be called every second. */
export const STEADY_MS = 60_000;

/** Until the next try; undefined: not before a good check-in. Full jitter comes on top of every floor. */
export function reconnectDelayMs({
  kind,
  attempt,
  random,
}: {
  kind: EndKind;
  attempt: number;
  random: () => number;
}): number | undefined {
  if (kind === 'refused') return undefined;
  const floorMs = kind === 'busy' ? BUSY_MS : kind === 'absent' ? ABSENT_MS : 0;
  return nextDelayMs({ ...RETRY_SCHEDULES.relay, attempt: floorMs > 0 ? 1000 : attempt, random, floorMs });
}

/** CONNACK of MQTT 3.1.1: 3 is a broker that cannot now, 4 and 5 are one that does not want. */
export function endOfConnack(returnCode: number): WakeEnd {
  return returnCode === 3 ? { kind: 'busy', code: 'WAKE_BUSY' } : { kind: 'refused', code: 'WAKE_REFUSED' };
}

/** What the error of a socket or of a handshake means. */
export function endOfError(error: Error | undefined): WakeEnd {
  const status = Number(/^Unexpected server response: (\d{3})$/.exec(error?.message ?? '')?.[1] ?? 0);
  if (status === 429 || status === 503) return { kind: 'busy', code: 'WAKE_BUSY' };
  if (status > 0) return { kind: 'absent', code: 'WAKE_ABSENT' };
  return { kind: 'lost', code: 'WAKE_LOST' };
}
