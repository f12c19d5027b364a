import type { ProvisionState } from '@sitewarden/agent-proto/http';
import type { CodeState } from '../lib/code-states.ts';
import type { CodeListRow } from '../store/repositories/codes.ts';
import { codeStateAt } from './code-machine.ts';

/** A code as people see it. Times are null until it happened; `usedAtMs`: the box had its configuration on disk. */
export interface CodeView {
  id: string;
  siteId: string;
  siteName: string;
  state: CodeState;
  preApproved: boolean;
  createdBy: string;
  createdAtMs: number;
  expiresAtMs: number;
  revokedAtMs: number | null;
  scannedAtMs: number | null;
  serial: string | null;
  claimedAtMs: number | null;
  approvedBy: string | null;
  approvedAtMs: number | null;
  usedAtMs: number | null;
  disputed: boolean;
  /** Its tries are used up: only the QR form still works. */
  typedLocked: boolean;
  replaces: string | null;
}

/** What a code has of a claim while no box has presented it. */
export const NO_CLAIM = {
  claim_state: null,
  claim_expires_at_ms: null,
  serial: null,
  claimed_at_ms: null,
  approved_by: null,
  approved_at_ms: null,
  acknowledged_at_ms: null,
} as const;

export function codeView(row: CodeListRow, nowMs: number): CodeView {
  const { claim_state: claimState, claim_expires_at_ms: claimExpiresAtMs } = row;
  const code = {
    expiresAtMs: row.expires_at_ms,
    revokedAtMs: row.revoked_at_ms,
    usedByFingerprint: row.used_by_fingerprint,
    scannedAtMs: row.scanned_at_ms,
  };
  const claim =
    claimState === null || claimExpiresAtMs === null
      ? null
      : { state: claimState as ProvisionState, expiresAtMs: claimExpiresAtMs };
  return {
    id: row.id,
    siteId: row.site_id,
    siteName: row.site_name,
    state: codeStateAt({ code, claim }, nowMs),
    preApproved: row.pre_approved === 1,
    createdBy: row.created_by,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    revokedAtMs: row.revoked_at_ms,
    scannedAtMs: row.scanned_at_ms,
    serial: row.serial,
    claimedAtMs: row.claimed_at_ms,
    approvedBy: row.approved_by,
    approvedAtMs: row.approved_at_ms,
    usedAtMs: row.acknowledged_at_ms,
    disputed: row.disputed_at_ms !== null,
    typedLocked: row.tries_left <= 0,
    replaces: row.replaces,
  };
}
