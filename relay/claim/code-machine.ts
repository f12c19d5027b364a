import type { ProvisionState } from '@sitewarden/agent-proto/http';
import type { CodeState } from '../lib/code-states.ts';
import { stateAt } from './machine.ts';

export { CODE_STATES, type CodeState } from '../lib/code-states.ts';

/** A code without approval lives this long at most; others may be printed on a work order. */
export const PRE_APPROVED_TTL_MINUTES = 10;
export const TYPED_TRIES = 5;

export interface Code {
  readonly expiresAtMs: number;
  readonly revokedAtMs: number | null;
  readonly usedByFingerprint: string | null;
}

/** `claim`: of the box that presented the code; null while none has. */
export interface CodeLife {
  readonly code: Code & { readonly scannedAtMs: number | null };
  readonly claim: { readonly state: ProvisionState; readonly expiresAtMs: number } | null;
}

const OF_CLAIM: Readonly<Record<ProvisionState, CodeState>> = {
  started: 'claimed',
  claimed: 'claimed',
  approved: 'approved',
  acknowledged: 'used',
  rejected: 'rejected',
  expired: 'expired',
};

/**
 * Once a box has presented the code, its claim says how it stands and nothing that happens to the code changes that. Of
 * two ends the first one counts: a code revoked after it expired has expired.
 */
export function codeStateAt({ code, claim }: CodeLife, nowMs: number): CodeState {
  if (claim !== null) return OF_CLAIM[stateAt(claim, nowMs)];
  if (code.usedByFingerprint !== null) return 'claimed';
  if (code.revokedAtMs !== null && code.revokedAtMs < code.expiresAtMs) return 'revoked';
  if (nowMs >= code.expiresAtMs) return 'expired';
  return code.scannedAtMs === null ? 'created' : 'scanned';
}

/** repeat: the same key asks again. `isDispute`: another key has the same secret, so one of the two stole it. */
export type CodeVerdict =
  | { readonly ok: true; readonly outcome: 'use' | 'repeat' }
  | { readonly ok: false; readonly code: 'CODE_INVALID' | 'CODE_USED' | 'CODE_REVOKED'; readonly isDispute: boolean };

/**
 * What happens to a box that presents the right secret of a code. Whoever has the wrong one learns nothing: unknown and
 * expired look alike to them, and this is not asked.
 */
export function decideCode(code: Code, fingerprint: string, nowMs: number): CodeVerdict {
  if (code.usedByFingerprint === fingerprint) return { ok: true, outcome: 'repeat' };
  if (code.usedByFingerprint !== null) return { ok: false, code: 'CODE_USED', isDispute: true };
  if (code.revokedAtMs !== null) return { ok: false, code: 'CODE_REVOKED', isDispute: false };
  if (nowMs >= code.expiresAtMs) return { ok: false, code: 'CODE_INVALID', isDispute: false };
  return { ok: true, outcome: 'use' };
}
