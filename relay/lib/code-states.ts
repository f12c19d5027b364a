/**
 * The life of a code. scanned: somebody opened its page on a phone. claimed: a box presented it and waits for approval.
 * approved: the box has not acknowledged its configuration. used: the box has it.
 */
export const CODE_STATES = [
  'created',
  'scanned',
  'claimed',
  'approved',
  'used',
  'rejected',
  'expired',
  'revoked',
] as const;
export type CodeState = (typeof CODE_STATES)[number];

/** Printed at once. */
export const MAX_LABELS = 100;
