import { STATUS_LIMITS } from '../fleet/index.ts';
import type { CheckinWrite, KnownBox, LiveChain } from '../store/repositories/live.ts';
import { judgeToken } from './token-chain.ts';

/** What a check-in leads to. unknown and revoked: the box gets an error and nothing is stored. */
export interface CheckinDecision {
  outcome: 'accept' | 'repeat' | 'clone' | 'quarantined' | 'unknown' | 'revoked';
  chain: LiveChain | null;
  token: string;
  configGeneration: number;
  pendingOrders: number;
  siteId: string | null;
}

const refused = (outcome: 'unknown' | 'revoked'): CheckinDecision => ({
  outcome,
  chain: null,
  token: '',
  configGeneration: 0,
  pendingOrders: 0,
  siteId: null,
});

/**
 * The whole decision about one check-in. A chain older than the claim belongs to the owner before: it counts as none.
 * A quarantined box is heard (its age and state stay true) and its chain stands still.
 */
export function decideCheckin(known: KnownBox | null, write: CheckinWrite): CheckinDecision {
  if (known === null) return refused('unknown');
  if (known.state === 'revoked') return refused('revoked');
  const live = known.live && known.live.lastCheckinAtMs >= known.claimedAtMs ? known.live : null;
  const onlineSinceMs = onlineSince(live, write.nowMs);
  const base = {
    token: write.nextToken,
    configGeneration: known.configGeneration,
    pendingOrders: 0,
    siteId: known.siteId,
  };
  const standing = live && { ...live, onlineSinceMs };
  if (known.state !== 'active') return { ...base, outcome: 'quarantined', chain: standing };
  const outcome = judgeToken(live, write);
  if (outcome === 'clone') return { ...base, outcome, chain: null };
  const chain =
    outcome === 'repeat' && standing
      ? standing
      : { token: write.nextToken, previousToken: write.previousToken, previousBodyHash: write.bodyHash, onlineSinceMs };
  return { ...base, outcome, chain, token: chain.token, pendingOrders: known.pendingOrders };
}

function onlineSince(live: KnownBox['live'], nowMs: number): number {
  if (live === null || live.onlineSinceMs === null) return nowMs;
  return nowMs - live.lastCheckinAtMs < STATUS_LIMITS.staleFromMs ? live.onlineSinceMs : nowMs;
}
