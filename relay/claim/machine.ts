import type { ProvisionState } from '@sitewarden/agent-proto/http';

/** How long the box shows its code, and how long a claim may wait for its approval. */
export const OFFER_TTL_MS = 10 * 60_000;
export const APPROVAL_TTL_MS = 24 * 3_600_000;

/** A claim as the store holds it. `number` null: the box has not revealed its nonce. */
export interface Claim {
  readonly state: ProvisionState;
  readonly expiresAtMs: number;
  readonly isDisputed: boolean;
  readonly number: string | null;
  readonly siteId: string | null;
  readonly claimedBy: string | null;
  readonly applianceId: string | null;
}

export type ClaimEvent =
  | {
      readonly type: 'claim';
      readonly siteId: string;
      readonly by: string;
      readonly number: string;
      readonly mayApprove: boolean;
    }
  | { readonly type: 'approve'; readonly number: string }
  | { readonly type: 'reject' }
  | { readonly type: 'acknowledge'; readonly applianceId: string }
  | { readonly type: 'dispute' };

/**
 * take: the claim gets its site. approve: an appliance is made and the grant is ready. None: the same asked again, and
 * answered the same.
 */
export type ClaimEffect = 'take' | 'approve' | 'reject' | 'acknowledge' | 'dispute';

export type ClaimRefusal =
  | 'SESSION_UNKNOWN'
  | 'NUMBER_NOT_READY'
  | 'NUMBER_MISMATCH'
  | 'CLAIM_NOT_WAITING'
  | 'CLAIM_DISPUTED';

export type ClaimVerdict =
  | { readonly ok: true; readonly next: ProvisionState; readonly effects: readonly ClaimEffect[] }
  | { readonly ok: false; readonly code: ClaimRefusal };

const to = (next: ProvisionState, ...effects: ClaimEffect[]): ClaimVerdict => ({ ok: true, next, effects });
const refuse = (code: ClaimRefusal): ClaimVerdict => ({ ok: false, code });

/** The state at a moment: whoever waits too long has expired, exactly at `expiresAtMs`. */
export function stateAt({ state, expiresAtMs }: Pick<Claim, 'state' | 'expiresAtMs'>, nowMs: number): ProvisionState {
  return (state === 'started' || state === 'claimed') && nowMs >= expiresAtMs ? 'expired' : state;
}

/** What an event leads to. Pure; the store carries the effects out, and its conditional update decides races. */
export function decideClaim(claim: Claim, event: ClaimEvent, nowMs: number): ClaimVerdict {
  const state = stateAt(claim, nowMs);
  switch (event.type) {
    case 'claim':
      return decideTake(claim, state, event);
    case 'approve':
      return decideApprove(claim, state, event.number);
    case 'reject':
      if (state === 'rejected') return to('rejected');
      return state === 'claimed' ? to('rejected', 'reject') : refuse('CLAIM_NOT_WAITING');
    case 'acknowledge':
      if (claim.applianceId !== event.applianceId) return refuse('SESSION_UNKNOWN');
      if (state === 'acknowledged') return to('acknowledged');
      return state === 'approved' ? to('acknowledged', 'acknowledge') : refuse('CLAIM_NOT_WAITING');
    case 'dispute':
      return state === 'started' ? refuse('CLAIM_NOT_WAITING') : to(claim.state, 'dispute');
  }
}

function decideTake(claim: Claim, state: ProvisionState, event: Extract<ClaimEvent, { type: 'claim' }>): ClaimVerdict {
  if (state === 'expired') return refuse('SESSION_UNKNOWN');
  if (state !== 'started') {
    const isSame = state !== 'rejected' && claim.siteId === event.siteId && claim.claimedBy === event.by;
    return isSame && claim.number === event.number ? to(state) : refuse('CLAIM_NOT_WAITING');
  }
  if (claim.number === null) return refuse('NUMBER_NOT_READY');
  if (claim.number !== event.number) return refuse('NUMBER_MISMATCH');
  return event.mayApprove ? to('approved', 'take', 'approve') : to('claimed', 'take');
}

function decideApprove(claim: Claim, state: ProvisionState, number: string): ClaimVerdict {
  if (state !== 'claimed' && state !== 'approved' && state !== 'acknowledged') return refuse('CLAIM_NOT_WAITING');
  if (claim.number !== number) return refuse('NUMBER_MISMATCH');
  if (state !== 'claimed') return to(state);
  return claim.isDisputed ? refuse('CLAIM_DISPUTED') : to('approved', 'approve');
}
