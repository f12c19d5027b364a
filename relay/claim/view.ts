import type { ProvisionState } from '@sitewarden/agent-proto/http';
import type { ReplacedBox } from '../store/repositories/appliances.ts';
import {
  type BoxFacts,
  type BoxFindings,
  type ClaimProgress,
  type ClaimRow,
  findingsOf,
  type OfferRow,
} from '../store/repositories/claims.ts';
import { type Claim, stateAt } from './machine.ts';

/**
 * A claim as people see it. `number` null: the box has not revealed its nonce. `replaces`: the box of the site that goes
 * out of service with the approval; null once that is decided. `progress`: what has happened, in order.
 */
export interface ClaimView {
  session: string;
  state: ProvisionState;
  serial: string;
  model: string;
  softwareVersion: string;
  imageDigest: string;
  dikFingerprint: string;
  number: string | null;
  startedAtMs: number;
  expiresAtMs: number;
  siteId: string | null;
  siteName: string | null;
  claimedBy: string | null;
  disputed: boolean;
  applianceId: string | null;
  replaces: ReplacedBox | null;
  /** Of a box that was moved here: why its claim was not approved as ordered. Null when it is not such a claim. */
  waitsBecause: 'site_has_box' | 'other_facts' | null;
  /** What the box last said of its way here; null in lists and when it never did. */
  doctor: BoxFindings | null;
  progress: { claimed: boolean; approved: boolean; acknowledged: boolean; firstCheckin: boolean; agents: number };
}

/** A claim of the store as the machine takes it. */
export function claimOf(row: ClaimRow): Claim {
  return {
    state: row.state as Claim['state'],
    expiresAtMs: row.expires_at_ms,
    isDisputed: row.disputed_at_ms !== null,
    number: row.number,
    siteId: row.site_id,
    claimedBy: row.claimed_by,
    applianceId: row.appliance_id,
  };
}

/** A box nobody has claimed, as the machine takes it. */
export function unclaimedOf(offer: OfferRow): Claim {
  return {
    state: 'started',
    expiresAtMs: offer.expires_at_ms,
    isDisputed: false,
    number: offer.number,
    siteId: null,
    claimedBy: null,
    applianceId: null,
  };
}

const NOTHING_YET = { claimed: false, approved: false, acknowledged: false, firstCheckin: false, agents: 0 } as const;

export function unclaimedView(offer: OfferRow, replaces: ReplacedBox | null, nowMs: number): ClaimView {
  const facts = JSON.parse(offer.facts) as BoxFacts;
  return {
    session: offer.id,
    state: stateAt(unclaimedOf(offer), nowMs),
    serial: facts.serial,
    model: facts.model,
    softwareVersion: facts.softwareVersion,
    imageDigest: facts.imageDigest,
    dikFingerprint: offer.fingerprint,
    number: offer.number,
    startedAtMs: offer.started_at_ms,
    expiresAtMs: offer.expires_at_ms,
    siteId: null,
    siteName: null,
    claimedBy: null,
    disputed: false,
    applianceId: null,
    replaces,
    waitsBecause: null,
    doctor: findingsOf(offer),
    progress: { ...NOTHING_YET },
  };
}

const doubtOf = ({ arrival }: ClaimRow): ClaimView['waitsBecause'] =>
  arrival === 'site_has_box' || arrival === 'other_facts' ? arrival : null;

export function claimView(
  row: ClaimRow,
  { progress, replaces, nowMs }: { progress: ClaimProgress; replaces: ReplacedBox | null; nowMs: number },
): ClaimView {
  const state = stateAt(claimOf(row), nowMs);
  return {
    session: row.id,
    state,
    serial: row.serial,
    model: row.model,
    softwareVersion: row.software_version,
    imageDigest: row.image_digest,
    dikFingerprint: row.fingerprint,
    number: row.number,
    startedAtMs: row.started_at_ms,
    expiresAtMs: row.expires_at_ms,
    siteId: row.site_id,
    siteName: progress.siteName,
    claimedBy: row.claimed_by,
    disputed: row.disputed_at_ms !== null,
    applianceId: row.appliance_id,
    replaces: state === 'claimed' ? replaces : null,
    waitsBecause: state === 'claimed' ? doubtOf(row) : null,
    doctor: null,
    progress: {
      claimed: true,
      approved: row.approved_at_ms !== null,
      acknowledged: row.acknowledged_at_ms !== null,
      firstCheckin: progress.hasCheckedIn,
      agents: progress.agents,
    },
  };
}
