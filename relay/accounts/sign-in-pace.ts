/**
 * Three buckets count failed sign-ins: of an account at an address, of an address, of an account from anywhere. Each
 * fills by one a failure, drains by itself, and once its free part is used makes the next try wait, twice as long each
 * time. A success empties only the first; the others keep what others used up.
 */
export const PACE = {
  /** Somebody who mistypes: five in a row, then from 1 s up to a quarter of an hour. */
  pair: { free: 5, drainMs: 10 * 60_000, baseMs: 1000, maxMs: 15 * 60_000 },
  /** A whole office behind one address mistypes too; one that tries many accounts is slowed all the same. */
  address: { free: 30, drainMs: 2 * 60_000, baseMs: 1000, maxMs: 15 * 60_000 },
  /** Guesses from many addresses. The wait stays short: it also meets the person, at an address seen for the first time. */
  account: { free: 20, drainMs: 5 * 60_000, baseMs: 1000, maxMs: 30_000 },
} as const;

export type PaceKind = keyof typeof PACE;

/** `drainedAtMs`: when the bucket is empty if nothing is added. `lastAtMs`: the newest try it counts. */
export interface Pace {
  readonly drainedAtMs: number;
  readonly lastAtMs: number;
  /** Of a pair: until when this address is one the person has signed in from. 0: it is not. */
  readonly knownUntilMs: number;
}

export type Paces = Readonly<Record<PaceKind, Pace>>;

export const NO_PACE: Pace = { drainedAtMs: 0, lastAtMs: 0, knownUntilMs: 0 };
const KNOWN_FOR_MS = 30 * 24 * 3_600_000;
export const PACE_KINDS = Object.keys(PACE) as PaceKind[];

/** Until when the next try has to wait; not later than now when it need not. */
function waitsUntil(kind: PaceKind, { drainedAtMs, lastAtMs }: Pace): number {
  const { free, drainMs, baseMs, maxMs } = PACE[kind];
  const level = (drainedAtMs - lastAtMs) / drainMs;
  const over = Math.ceil(level) - free;
  if (over < 0) return lastAtMs;
  return lastAtMs + Math.min(maxMs, baseMs * 2 ** Math.min(over, 30));
}

export type PaceVerdict =
  | { readonly ok: true; readonly paid: Paces }
  | { readonly ok: false; readonly retryAtMs: number };

/**
 * May this try be looked at? Then it is paid as a failure beforehand, so many at once cannot have more than there are.
 * At an address the person has signed in from, only their own bucket there counts: neither guesses from elsewhere nor
 * strangers behind the same address lock them out. Guesses at them there still fill that one. A clock that goes back
 * makes nobody wait longer than the longest wait. Pure.
 */
export function payForTry(paces: Paces, nowMs: number): PaceVerdict {
  const isKnown = nowMs < paces.pair.knownUntilMs;
  const counting = isKnown ? (['pair'] as const) : PACE_KINDS;
  const retryAtMs = Math.max(
    ...counting.map((kind) => Math.min(waitsUntil(kind, paces[kind]), nowMs + PACE[kind].maxMs)),
  );
  if (retryAtMs > nowMs) return { ok: false, retryAtMs };
  const paid = (kind: PaceKind): Pace => ({
    ...paces[kind],
    drainedAtMs: Math.max(nowMs, Math.min(paces[kind].drainedAtMs, ceiling(kind, nowMs))) + PACE[kind].drainMs,
    lastAtMs: nowMs,
  });
  return { ok: true, paid: { pair: paid('pair'), address: paid('address'), account: paid('account') } };
}

/** Beyond the longest wait a bucket gets no fuller, so that it drains in hours and not in weeks. */
function ceiling(kind: PaceKind, nowMs: number): number {
  const { free, drainMs } = PACE[kind];
  return nowMs + (free + 12) * drainMs;
}

/**
 * Gives a paid try back: it was right, or was not looked at. `wasRight` also empties the pair's bucket and remembers the
 * address. Only this one try is given back, so signing in to an account of one's own buys no guesses at others. Pure.
 */
export function giveBackTry(
  { before, paid, now }: { before: Paces; paid: Paces; now: Paces },
  { wasRight, nowMs }: { wasRight: boolean; nowMs: number },
): Paces {
  const returned = (kind: PaceKind): Pace => ({
    ...now[kind],
    drainedAtMs: now[kind].drainedAtMs - PACE[kind].drainMs,
    // Who came in between waits from their own try on.
    lastAtMs: now[kind].lastAtMs === paid[kind].lastAtMs ? before[kind].lastAtMs : now[kind].lastAtMs,
  });
  const pair = wasRight ? { drainedAtMs: 0, lastAtMs: 0, knownUntilMs: nowMs + KNOWN_FOR_MS } : returned('pair');
  return { pair, address: returned('address'), account: returned('account') };
}
