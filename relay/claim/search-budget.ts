import { createHash } from 'node:crypto';
import { relayErrors } from '../errors.ts';
import type { Tenant } from '../lib/identity.ts';
import type { Store } from '../store/index.ts';
import { type FailureRow, readFailures, writeFailures } from '../store/repositories/sign-in-failures.ts';

/**
 * A search answers whether a number is right, so each is paid for, found or not. A bucket fills by one a search and drains
 * by itself: a person has ten at once and then one a minute, and all people of a partner together three times as many.
 */
export const SEARCH_PACE = {
  person: { free: 10, drainMs: 60_000 },
  partner: { free: 30, drainMs: 20_000 },
} as const;

type Kind = keyof typeof SEARCH_PACE;
const KINDS = Object.keys(SEARCH_PACE) as Kind[];

/** From when on there is room for one more. A clock that goes back makes nobody wait longer than a full bucket does. */
function roomAt(kind: Kind, row: FailureRow | undefined, nowMs: number): number {
  const { free, drainMs } = SEARCH_PACE[kind];
  const drainedAtMs = Math.min(row?.drainedAtMs ?? 0, nowMs + free * drainMs);
  return drainedAtMs - (free - 1) * drainMs;
}

/** Counted in the store, so a restart gives nothing back and several relays count together. Throws RATE_LIMITED. */
export async function payForSearch(store: Store, { partnerId, staffId }: Tenant, nowMs: number): Promise<void> {
  const hash = (...parts: string[]) => createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
  const keys: Readonly<Record<Kind, string>> = {
    person: hash('rearm search', partnerId, staffId),
    partner: hash('rearm search', partnerId),
  };
  const roomAtMs = await store.system(async (trx) => {
    const rows = await readFailures(trx, Object.values(keys));
    const roomAtMs = Math.max(...KINDS.map((kind) => roomAt(kind, rows.get(keys[kind]), nowMs)));
    if (roomAtMs > nowMs) return roomAtMs;
    const paid = (kind: Kind): FailureRow => {
      const drainedAtMs = Math.max(nowMs, rows.get(keys[kind])?.drainedAtMs ?? 0) + SEARCH_PACE[kind].drainMs;
      return { drainedAtMs, lastAtMs: nowMs, knownUntilMs: 0 };
    };
    await writeFailures(trx, new Map(KINDS.map((kind) => [keys[kind], paid(kind)])));
    return nowMs;
  });
  if (roomAtMs <= nowMs) return;
  const retryAfterS = Math.max(1, Math.ceil((roomAtMs - nowMs) / 1000));
  throw relayErrors.make('RATE_LIMITED', {
    detail: `Too many numbers were looked for; the next one in ${retryAfterS} s`,
    data: { retryAfterS },
  });
}
