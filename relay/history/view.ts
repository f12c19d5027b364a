import type { Tx } from '../store/index.ts';
import { firstClaim, listSeen, readCursor } from '../store/repositories/availability.ts';
import { DAY_MS, HOUR_MS, possibleMs } from './seen.ts';

const SHOWN_HOURS = 48;
const SHOWN_DAYS = 30;

export interface SeenSpan {
  fromMs: number;
  seenMs: number;
  /** How much of the span there was to be seen in; 0: nothing is known of it. */
  ofMs: number;
}

export interface Availability {
  /** Oldest first, without gaps; the last one is not over yet. */
  hours: SeenSpan[];
  days: SeenSpan[];
  throughMs: number | null;
  asOfMs: number;
}

/** For how long of each of the last hours and days the box of a site was heard. */
export async function availabilityOf(
  trx: Tx,
  { partnerId, siteId, nowMs }: { partnerId: string; siteId: string; nowMs: number },
): Promise<Availability> {
  const rolled = await readCursor(trx, partnerId);
  const throughMs = rolled?.throughMs ?? null;
  const claimedAtMs = await firstClaim(trx, siteId);
  if (rolled === undefined || throughMs === null || claimedAtMs === null)
    return { hours: [], days: [], throughMs, asOfMs: nowMs };
  const known = { fromMs: Math.max(claimedAtMs, rolled.sinceMs), throughMs };
  const hours = await spans(trx, { siteId, known, nowMs, lengthMs: HOUR_MS, count: SHOWN_HOURS });
  const days = await spans(trx, { siteId, known, nowMs, lengthMs: DAY_MS, count: SHOWN_DAYS });
  return { hours, days, throughMs, asOfMs: nowMs };
}

async function spans(
  trx: Tx,
  input: {
    siteId: string;
    known: { fromMs: number; throughMs: number };
    nowMs: number;
    lengthMs: number;
    count: number;
  },
): Promise<SeenSpan[]> {
  const { siteId, known, nowMs, lengthMs, count } = input;
  const last = Math.floor(nowMs / lengthMs) * lengthMs;
  const first = last - (count - 1) * lengthMs;
  const isDays = lengthMs === DAY_MS;
  const seen = await listSeen(trx, { siteId, span: isDays ? 'day' : 'hour', fromMs: first });
  // Today is made of its hours until it is over.
  if (isDays) {
    const today = (await listSeen(trx, { siteId, span: 'hour', fromMs: last })).values();
    seen.set(
      last,
      [...today].reduce((sum, ms) => sum + ms, 0),
    );
  }
  return Array.from({ length: count }, (_, index) => {
    const fromMs = first + index * lengthMs;
    const ofMs = possibleMs({ fromMs, lengthMs }, known);
    return { fromMs, seenMs: Math.min(ofMs, seen.get(fromMs) ?? 0), ofMs };
  });
}
