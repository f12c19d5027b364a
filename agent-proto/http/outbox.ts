import { type Static, Type } from '@sinclair/typebox';
import { CHECK_NAMES, CHECK_STATUSES, SEVERITIES } from '../checks/index.ts';
import { Count, closed, FactsObject, Id, Nullable, oneOf, ShortText, Text, UnixMs } from './common.ts';

/** In order of priority. */
export const LANES = ['evidence', 'receipts', 'incidents', 'telemetry'] as const;
export type Lane = (typeof LANES)[number];

export const OUTBOX_LIMITS = { maxRows: 1000, maxBodyBytes: 4 * 1024 * 1024, maxRowBytes: 80_000 } as const;

/**
 * Rows before `firstSeq` that the relay does not have and the box no longer has. `fromSeq` is the relay's own expectedSeq;
 * `refused` of them the relay would not take, the others it had acknowledged once. The relay notes them as lost and goes on.
 */
export const AbsentRows = closed({ fromSeq: Type.Integer({ minimum: 1 }), refused: Count });
export type AbsentRows = Static<typeof AbsentRows>;

/**
 * First line of a POST /api/appliances/outbox body (application/x-ndjson); `count` further lines follow, one row each,
 * with sequence numbers firstSeq, firstSeq+1, ... Rows of `evidence` and `receipts` are exact DSSE envelope texts; the
 * others are JSON of the schemas below. Sequences start at 1 per lane and epoch; an evidence row's seq is leaf index + 1.
 */
export const OutboxHeader = closed({
  lane: oneOf(LANES),
  epoch: Type.Integer({ minimum: 1 }),
  firstSeq: Type.Integer({ minimum: 1 }),
  count: Type.Integer({ minimum: 1, maximum: OUTBOX_LIMITS.maxRows }),
  /** Never of evidence, whose rows are all kept. */
  absent: Type.Optional(AbsentRows),
});
export type OutboxHeader = Static<typeof OutboxHeader>;

/** Why something is missing. */
export const LOSS_CODES = [
  'DISK_FULL',
  'OUTBOX_ROW_INVALID',
  'RECEIPT_INVALID',
  'RELAY_SET_BACK',
  'DATABASE_DAMAGED',
  'CHECKIN_CHAIN_LOST',
  'EVIDENCE_SCHEMA',
] as const;
export type LossCode = (typeof LOSS_CODES)[number];

/**
 * One line of the loss ledger: what is known to be missing, and why. `what` is a lane, `report`, `database`, `evidence`,
 * `checkin_chain` or the kind of a change; `rows` counts those events whose rows could be counted.
 */
export const LossSum = closed({
  what: ShortText,
  code: oneOf(LOSS_CODES),
  events: Count,
  rows: Count,
  firstAtMs: UnixMs,
  lastAtMs: UnixMs,
});
export type LossSum = Static<typeof LossSum>;

/** `newRows` counts the rows that had an effect; the rest were repetitions. */
export const OutboxAnswer = closed({ ackedThrough: Count, newRows: Count });
export type OutboxAnswer = Static<typeof OutboxAnswer>;

const AgentRef = Nullable(Id('agt'));

export const INCIDENT_STATES = ['open', 'healing', 'needs_person', 'resolved'] as const;
export type IncidentState = (typeof INCIDENT_STATES)[number];

/** Lane incidents: the incident as it stands after a change. `agentId` null: the box itself. */
export const IncidentRow = closed({
  type: Type.Literal('incident'),
  id: Id('inc'),
  agentId: AgentRef,
  host: ShortText,
  check: oneOf(CHECK_NAMES),
  subject: ShortText,
  severity: oneOf(SEVERITIES),
  title: ShortText,
  reason: Text,
  state: oneOf(INCIDENT_STATES),
  ruleId: Nullable(ShortText),
  openedAtMs: UnixMs,
  changedAtMs: UnixMs,
  resolvedAtMs: Nullable(UnixMs),
  nextStep: Text,
  evidenceSeq: Nullable(Count),
});
export type IncidentRow = Static<typeof IncidentRow>;

export const ACTION_RUN_STATES = [
  'started',
  'done',
  'failed',
  'refused',
  'indeterminate',
  'verified',
  'not_verified',
] as const;
export type ActionRunState = (typeof ACTION_RUN_STATES)[number];

/** Lane incidents: what was done about it. `done` waits for the re-check; `verified` is the good end. */
export const ActionRunRow = closed({
  type: Type.Literal('action_run'),
  id: Id('run'),
  incidentId: Id('inc'),
  action: ShortText,
  params: FactsObject,
  state: oneOf(ACTION_RUN_STATES),
  code: Nullable(ShortText),
  outcome: Text,
  ruleId: ShortText,
  ruleVersion: Count,
  startedAtMs: UnixMs,
  finishedAtMs: Nullable(UnixMs),
  before: FactsObject,
  after: FactsObject,
  evidenceSeq: Nullable(Count),
});
export type ActionRunRow = Static<typeof ActionRunRow>;

export const IncidentsLaneRow = Type.Union([IncidentRow, ActionRunRow]);
export type IncidentsLaneRow = Static<typeof IncidentsLaneRow>;

export const AGENT_STATES = ['active', 'removed'] as const;

/** Lane telemetry: a workstation agent as the box knows it. */
export const AgentRow = closed({
  type: Type.Literal('agent'),
  id: Id('agt'),
  hostname: ShortText,
  osFamily: ShortText,
  osVersion: ShortText,
  agentVersion: ShortText,
  tier: Type.Union([Type.Literal(0), Type.Literal(1), Type.Literal(2)]),
  state: oneOf(AGENT_STATES),
  connected: Type.Boolean(),
  enrolledAtMs: UnixMs,
  lastHeartbeatAtMs: Nullable(UnixMs),
  telemetry: FactsObject,
});
export type AgentRow = Static<typeof AgentRow>;

/** Lane telemetry: the latest result of one check on one subject. `agentId` null: the box itself. */
export const CheckRow = closed({
  type: Type.Literal('check'),
  agentId: AgentRef,
  check: oneOf(CHECK_NAMES),
  subject: ShortText,
  status: oneOf(CHECK_STATUSES),
  severity: oneOf(SEVERITIES),
  controls: Type.Array(ShortText, { maxItems: 16 }),
  expected: Text,
  actual: Text,
  reason: Text,
  facts: FactsObject,
  collectedAtMs: UnixMs,
  receivedAtMs: UnixMs,
  /** When the status last changed. */
  sinceMs: UnixMs,
});
export type CheckRow = Static<typeof CheckRow>;

/** Lane telemetry: nobody looks at this any more, so the latest result goes. */
export const CheckGoneRow = closed({
  type: Type.Literal('check_gone'),
  agentId: AgentRef,
  check: oneOf(CHECK_NAMES),
  subject: ShortText,
  atMs: UnixMs,
});
export type CheckGoneRow = Static<typeof CheckGoneRow>;

/** Lane telemetry: something seen on the site's network. MAC and IP are telemetry, never identity. */
export const DeviceRow = closed({
  type: Type.Literal('device'),
  id: Id('dev'),
  mac: Nullable(Type.String({ pattern: '^([0-9a-f]{2}:){5}[0-9a-f]{2}$' })),
  addresses: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 16 }),
  name: Nullable(ShortText),
  services: Type.Array(ShortText, { maxItems: 32 }),
  network: ShortText,
  probes: Type.Array(ShortText, { maxItems: 8 }),
  firstSeenMs: UnixMs,
  lastSeenMs: UnixMs,
});
export type DeviceRow = Static<typeof DeviceRow>;

export const RmmFinding = closed({
  product: ShortText,
  /** Empty when not known. */
  version: ShortText,
  running: Type.Boolean(),
  foundBy: ShortText,
  sinceMs: UnixMs,
});

/** Lane telemetry: all other management tools a workstation has. Sent when they change, and after the first look. */
export const RmmRow = closed({
  type: Type.Literal('rmm'),
  agentId: Id('agt'),
  findings: Type.Array(RmmFinding, { maxItems: 64 }),
  lookedAtMs: UnixMs,
});
export type RmmRow = Static<typeof RmmRow>;

export const TelemetryLaneRow = Type.Union([AgentRow, CheckRow, CheckGoneRow, DeviceRow, RmmRow]);
export type TelemetryLaneRow = Static<typeof TelemetryLaneRow>;
