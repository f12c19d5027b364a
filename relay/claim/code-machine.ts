/** A code without approval lives this long at most; others may be printed on a work order. */
export const PRE_APPROVED_TTL_MINUTES = 10;
export const TYPED_TRIES = 5;

export const CODE_STATES = ['created', 'used', 'expired', 'revoked'] as const;
export type CodeState = (typeof CODE_STATES)[number];

export interface Code {
  readonly expiresAtMs: number;
  readonly revokedAtMs: number | null;
  readonly usedByFingerprint: string | null;
}

/** Used stays used, whatever came later; a revoked code never becomes an expired one. */
export function codeStateAt(code: Code, nowMs: number): CodeState {
  if (code.usedByFingerprint !== null) return 'used';
  if (code.revokedAtMs !== null) return 'revoked';
  return nowMs >= code.expiresAtMs ? 'expired' : 'created';
}

/** repeat: the same key asks again. `isDispute`: another key has the same secret, so one of the two stole it. */
export type CodeVerdict =
  | { readonly ok: true; readonly outcome: 'use' | 'repeat' }
  | { readonly ok: false; readonly code: 'CODE_INVALID' | 'CODE_USED' | 'CODE_REVOKED'; readonly isDispute: boolean };

const REFUSALS = {
  expired: { ok: false, code: 'CODE_INVALID', isDispute: false },
  revoked: { ok: false, code: 'CODE_REVOKED', isDispute: false },
} as const;

/**
 * What happens to a box that presents the right secret of a code. Whoever has the wrong one learns nothing: unknown and
 * expired look alike to them, and this is not asked.
 */
export function decideCode(code: Code, fingerprint: string, nowMs: number): CodeVerdict {
  const state = codeStateAt(code, nowMs);
  if (state === 'created') return { ok: true, outcome: 'use' };
  if (state !== 'used') return REFUSALS[state];
  if (code.usedByFingerprint === fingerprint) return { ok: true, outcome: 'repeat' };
  return { ok: false, code: 'CODE_USED', isDispute: true };
}
