/** Why a box is woken: orders wait for it; or it should check in, because its configuration or its place changed. */
export const WAKE_REASONS = ['orders', 'config'] as const;
export type WakeReason = (typeof WAKE_REASONS)[number];

/** The one topic a box may subscribe to. */
export const wakeTopic = (applianceId: string): string => `a/${applianceId}/wake`;

/** A word that is not known yet is from a newer relay: a check-in finds out whatever it is about. */
export function readWakeReason(payload: Uint8Array): WakeReason {
  return Buffer.from(payload).toString('latin1') === 'orders' ? 'orders' : 'config';
}
