import { Counter, type Registry } from 'prom-client';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { Box } from '../lib/identity.ts';
import { createLru } from '../lib/lru.ts';
import type { Store } from '../store/index.ts';
import { type KnownChain, readChain } from '../store/repositories/live.ts';
import { type CheckinTokens, createCheckinTokens, type TokenMac } from './tokens.ts';

/** Of one box: the audit log is for good, and whoever holds a copy may ask all day. */
const NOTE_EVERY_MS = 24 * 60 * 60_000;
const MAX_REMEMBERED = 10_000;

/**
 * newest: of the last check-in, or of the one before it, whose answer may be lost. superseded: this relay gave it to
 * this box, and two check-ins of somebody came after it. other: none, a made-up one, one of a future this relay's state
 * has not seen, or staff have opened the chain and no check-in has continued it.
 */
export type TokenStanding = 'newest' | 'superseded' | 'other';

/** What a request that is no check-in proves by its token. Where no check-in is known since the claim, none is needed. */
export function judgeNewest(
  tokens: Pick<CheckinTokens, 'counterOf'>,
  box: Pick<Box, 'applianceId' | 'epoch'>,
  { chain, token }: { chain: KnownChain; token: string | null },
): TokenStanding {
  const { live, claimedAtMs } = chain;
  if (live === null || live.lastCheckinAtMs < claimedAtMs) return 'newest';
  const isOpen = live.previousBodyHash === null;
  if (!isOpen && token !== null && (token === live.token || token === live.previousToken)) return 'newest';
  const counter = tokens.counterOf(box, token);
  return counter !== null && counter < (tokens.counterOf(box, live.token) ?? 0) ? 'superseded' : 'other';
}

export interface NewestToken {
  /**
   * Lets a box ask for what is meant for it alone. Throws CHECKIN_FIRST, APPLIANCE_QUARANTINED, APPLIANCE_REVOKED,
   * APPLIANCE_UNKNOWN.
   */
  demand(box: Box, token: string | null): Promise<void>;
}

export interface NewestTokenDeps {
  readonly store: Store;
  readonly clock: { nowMs(): number };
  readonly keys: { readonly tokenMac: TokenMac };
  readonly metrics: Registry;
}

/**
 * The device key alone does not tell a box from a copy of it; the token of the last check-in does, for a copy has it only
 * until the box checked in again. One that is out of date stops nothing: the box is told to check in, and a check-in is
 * what tells a copy from a box that lost an answer.
 */
export function createNewestToken({ store, clock, keys, metrics }: NewestTokenDeps): NewestToken {
  const tokens = createCheckinTokens(keys.tokenMac);
  const notedAtMs = createLru<string, number>(MAX_REMEMBERED);
  const refused = new Counter({
    name: 'relay_checkin_first_total',
    help: 'Requests of boxes that were told to check in first, by what their token was',
    labelNames: ['token'],
    registers: [metrics],
  });

  async function note({ applianceId, partnerId, siteId }: Box): Promise<void> {
    const atMs = clock.nowMs();
    const beforeMs = notedAtMs.get(applianceId);
    if (beforeMs !== undefined && Math.abs(atMs - beforeMs) < NOTE_EVERY_MS) return;
    notedAtMs.set(applianceId, atMs);
    await store.inTenant(partnerId, (trx) =>
      appendAudit(trx, {
        partnerId,
        atMs,
        actor: `appliance:${applianceId}`,
        action: 'checkin.old_token_refused',
        ref: siteId,
        detail: { applianceId, reason: 'asked with a check-in token that two check-ins came after: perhaps a copy' },
      }),
    );
  }

  return {
    async demand(box, token) {
      const chain = await store.inTenant(box.partnerId, (trx) => readChain(trx, box.applianceId));
      if (chain === undefined) throw relayErrors.make('APPLIANCE_UNKNOWN');
      if (chain.state === 'revoked') throw relayErrors.make('APPLIANCE_REVOKED');
      if (chain.state !== 'active') throw relayErrors.make('APPLIANCE_QUARANTINED');
      const standing = judgeNewest(tokens, box, { chain, token });
      if (standing === 'newest') return;
      refused.inc({ token: standing });
      if (standing === 'superseded') await note(box);
      throw relayErrors.make('CHECKIN_FIRST');
    },
  };
}
