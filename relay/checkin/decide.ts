import { STATUS_LIMITS } from '../fleet/index.ts';
import type { CheckinWrite, KnownBox, LiveChain } from '../store/repositories/live.ts';
import { judgeToken, nextCounter } from './token-chain.ts';
import type { CheckinTokens } from './tokens.ts';

/** What a check-in leads to. unknown and revoked: the box gets an error and nothing is stored. */
export interface CheckinDecision {
  outcome: 'accept' | 'repeat' | 'restored' | 'clone' | 'quarantined' | 'unknown' | 'revoked';
  chain: LiveChain | null;
  token: string;
  configGeneration: number;
  pendingOrders: number;
  isReleasing: boolean;
  siteId: string | null;
}

const refused = (outcome: 'unknown' | 'revoked'): CheckinDecision => ({
  outcome,
  chain: null,
  token: '',
  configGeneration: 0,
  pendingOrders: 0,
  isReleasing: false,
  siteId: null,
});

/**
 * The whole decision about one check-in. A chain older than the claim belongs to the owner before: it counts as none.
 * A quarantined box is heard (its age and state stay true) and its chain stands still: the tokens both copies get
 * meanwhile do not rise above it, so that after a release neither looks newer than the other.
 */
export function decideCheckin(
  tokens: Pick<CheckinTokens, 'issue' | 'counterOf'>,
  known: KnownBox | null,
  write: CheckinWrite,
): CheckinDecision {
  if (known === null) return refused('unknown');
  if (known.state === 'revoked') return refused('revoked');
  const live = known.live && known.live.lastCheckinAtMs >= known.claimedAtMs ? known.live : null;
  const onlineSinceMs = onlineSince(live, write.nowMs);
  const link = live && { ...live, counter: tokens.counterOf(write, live.token) };
  // A MAC costs as much as the row: the common check-in presents the last token and needs it checked once.
  const counter =
    live?.token === write.previousToken ? (link?.counter ?? null) : tokens.counterOf(write, write.previousToken);
  const presented = { ...write, counter };
  const base = {
    configGeneration: known.configGeneration,
    pendingOrders: 0,
    isReleasing: false,
    siteId: known.siteId,
  };
  const standing = live && { ...live, onlineSinceMs };
  const stillToken = () => tokens.issue(write, link?.counter ?? 0, write.random);
  if (known.state !== 'active') return { ...base, token: stillToken(), outcome: 'quarantined', chain: standing };
  if (isHeldOff(known, write)) return { ...base, token: stillToken(), outcome: 'quarantined', chain: standing };
  const outcome = judgeToken(link, presented);
  if (outcome === 'clone') return { ...base, token: stillToken(), outcome, chain: null };
  const chain =
    outcome === 'repeat' && standing
      ? standing
      : {
          token: tokens.issue(write, nextCounter(link, presented, Math.floor(write.nowMs / 1000)), write.random),
          previousToken: write.previousToken,
          previousBodyHash: write.bodyHash,
          onlineSinceMs,
        };
  const { pendingOrders, isReleasing } = known;
  return { ...base, outcome, chain, token: chain.token, pendingOrders, isReleasing };
}

/** Staff opened the chain for one machine: another one must not be the first to continue it. */
function isHeldOff({ genuine, live }: KnownBox, { bootId, nowMs }: CheckinWrite): boolean {
  const isOpenChain = live !== null && live.previousBodyHash === null;
  return isOpenChain && genuine !== null && nowMs < genuine.untilMs && bootId !== genuine.bootId;
}

function onlineSince(live: KnownBox['live'], nowMs: number): number {
  if (live === null || live.onlineSinceMs === null) return nowMs;
  return nowMs - live.lastCheckinAtMs < STATUS_LIMITS.staleFromMs ? live.onlineSinceMs : nowMs;
}
