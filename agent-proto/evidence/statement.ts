import { type Static, Type } from '@sinclair/typebox';
import { CHECK_NAMES } from '../checks/index.ts';
import {
  Count,
  closed,
  FactsObject,
  Id,
  Nullable,
  oneOf,
  Sha256Hex,
  ShortText,
  Text,
  TIME_QUALITIES,
  UnixMs,
} from '../http/index.ts';

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
export const PREDICATE_TYPE = 'urn:sitewarden:evidence:v1';
export const MAX_ENVELOPE_BYTES = 60_000;

/** What an entry can be about. `claim` is always entry 0. */
export const ENTRY_KINDS = [
  'claim',
  'config_applied',
  'agent_enrolled',
  'agent_removed',
  'incident_opened',
  'incident_resolved',
  'incident_needs_person',
  'action_started',
  'action_finished',
  'action_verified',
  'order_received',
  'order_finished',
  'loss',
  'released',
  'dik_rotated',
  'evk_rotated',
] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** Facts with the SHA-256 of their canonical bytes, so that facts may be dropped later and still be proved. */
export const FactsSnapshot = closed({ digest: Sha256Hex, facts: FactsObject });

export const EvidencePredicate = closed({
  seq: Count,
  /** Hex RFC 6962 leaf hash of the entry before; the empty string for entry 0. */
  prev: Type.Union([Sha256Hex, Type.Literal('')]),
  bootId: ShortText,
  monotonicMs: Count,
  wallTimeMs: UnixMs,
  timeQuality: oneOf(TIME_QUALITIES),
  kind: oneOf(ENTRY_KINDS),
  actor: closed({ type: oneOf(['rule', 'staff', 'agent', 'system'] as const), id: ShortText }),
  target: closed({
    agentId: Nullable(Id('agt')),
    host: ShortText,
    check: Nullable(oneOf(CHECK_NAMES)),
    subject: ShortText,
  }),
  incidentId: Nullable(Id('inc')),
  orderId: Nullable(Id('ord')),
  rule: Nullable(closed({ id: ShortText, version: Count, digest: Sha256Hex })),
  /** `runId` null: staff ordered it, and `orderId` names the order. */
  action: Nullable(closed({ name: ShortText, runId: Nullable(Id('run')), params: FactsObject })),
  before: Nullable(FactsSnapshot),
  after: Nullable(FactsSnapshot),
  /** A short code, and words for people; for actions only after verification says so. */
  outcome: closed({ code: ShortText, text: Text }),
  controls: Type.Array(ShortText, { maxItems: 32 }),
});
export type EvidencePredicate = Static<typeof EvidencePredicate>;

/** in-toto Statement v1. The one subject names the log position; its digest is that of the canonical predicate. */
export const EvidenceStatement = closed({
  _type: Type.Literal(STATEMENT_TYPE),
  subject: Type.Array(closed({ name: Type.String({ maxLength: 512 }), digest: closed({ sha256: Sha256Hex }) }), {
    minItems: 1,
    maxItems: 1,
  }),
  predicateType: Type.Literal(PREDICATE_TYPE),
  predicate: EvidencePredicate,
});
export type EvidenceStatement = Static<typeof EvidenceStatement>;

/** Origin line of the log of one appliance and epoch. */
export const logOrigin = (relayHost: string, applianceId: string, epoch: number): string =>
  `${relayHost}/a/${applianceId}/${epoch}`;
