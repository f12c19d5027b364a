import { type Static, Type } from '@sinclair/typebox';
import { SEVERITIES } from '@sitewarden/agent-proto/checks';
import {
  ACTION_RUN_STATES,
  CheckRow,
  Count,
  closed,
  DeviceRow,
  FactsObject,
  Id,
  INCIDENT_STATES,
  LANES,
  LossSum,
  Nullable,
  ORDER_ACTIONS,
  ORDER_STATES,
  oneOf,
  RmmFinding,
  Sha256Hex,
  ShortText,
  Text,
  UnixMs,
} from '@sitewarden/agent-proto/http';
import { CODE_STATES } from '../../lib/code-states.ts';
import { NAME_PATTERN, NAME_WORDS } from '../../lib/names.ts';
import { ROLES } from '../../lib/roles.ts';

export { CODE_STATES };
export const FLEET_STATUSES = ['online', 'stale', 'offline', 'pending'] as const;
export type FleetStatusValue = (typeof FLEET_STATUSES)[number];

/** A status never travels without its age and its reason. `sinceMs`: when the value began, null when it never did. */
export const FleetStatus = closed({
  value: oneOf(FLEET_STATUSES),
  ageMs: Nullable(Count),
  sinceMs: Nullable(UnixMs),
  reason: Text,
});
export type FleetStatus = Static<typeof FleetStatus>;

export { ROLES, type Role } from '../../lib/roles.ts';

export const SessionView = closed({
  staffId: Id('stf'),
  name: ShortText,
  role: oneOf(ROLES),
  partner: closed({ id: Id('ptn'), name: ShortText }),
  expiresAtMs: UnixMs,
});
export type SessionView = Static<typeof SessionView>;

const SeverityCounts = closed(
  Object.fromEntries(SEVERITIES.map((name) => [name, Count])) as Record<(typeof SEVERITIES)[number], typeof Count>,
);

/** none: nothing received. cosigned: everything received is cosigned. pending: entries wait for a cosignature. broken: refused. */
export const EVIDENCE_MARKS = ['none', 'cosigned', 'pending', 'broken'] as const;
export const EvidenceState = closed({
  mark: oneOf(EVIDENCE_MARKS),
  reason: Text,
  epoch: Count,
  receivedSize: Count,
  cosignedSize: Count,
  rootHash: Nullable(Sha256Hex),
  lastCosignedAtMs: Nullable(UnixMs),
  lastFault: Nullable(closed({ code: ShortText, message: Text, atMs: UnixMs })),
});
export type EvidenceState = Static<typeof EvidenceState>;

/** Health of a site as one line: what is not fine first. ok: nothing to do. */
export const SITE_HEALTHS = ['problem', 'warning', 'unknown', 'ok'] as const;

export const SiteSummary = closed({
  id: Id('site'),
  name: ShortText,
  clientId: Id('cli'),
  clientName: ShortText,
  health: oneOf(SITE_HEALTHS),
  /** Why the health is what it is; a person reads this at 3 a.m. */
  reason: Text,
  sinceMs: Nullable(UnixMs),
  nextStep: Text,
  status: FleetStatus,
  applianceId: Nullable(Id('app')),
  incidents: SeverityCounts,
  agents: closed({ total: Count, ok: Count, failing: Count, away: Count }),
  queue: closed({ depth: Count, oldestAgeMs: Count }),
  evidence: EvidenceState,
  /** Two boxes use its identity: the quarantine page shows which. */
  isQuarantined: Type.Boolean(),
});
export type SiteSummary = Static<typeof SiteSummary>;

export const SiteList = closed({
  sites: Type.Array(SiteSummary),
  totals: closed({ problem: Count, warning: Count, unknown: Count, ok: Count, all: Count }),
  nextCursor: Nullable(Type.String()),
  asOfMs: UnixMs,
});
export type SiteList = Static<typeof SiteList>;

export const SiteListQuery = closed({
  search: Type.Optional(Type.String({ maxLength: 100, pattern: '^[^\\u0000-\\u001f]*$' })),
  health: Type.Optional(oneOf(SITE_HEALTHS)),
  cursor: Type.Optional(Type.String({ maxLength: 200 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 100 })),
});

const LaneDepth = closed({ depth: Count, oldestAgeMs: Count });

export const ApplianceView = closed({
  id: Id('app'),
  serial: ShortText,
  model: ShortText,
  state: oneOf(['active', 'quarantined', 'revoked'] as const),
  dikFingerprint: ShortText,
  epoch: Count,
  claimedAtMs: UnixMs,
  claimedBy: ShortText,
  lastCheckinAtMs: Nullable(UnixMs),
  versions: closed({ appliance: ShortText, node: ShortText, os: ShortText }),
  telemetry: FactsObject,
  lanes: closed(
    Object.fromEntries(LANES.map((lane) => [lane, LaneDepth])) as Record<(typeof LANES)[number], typeof LaneDepth>,
  ),
  /** What the box knows to be missing, and why, as of its last check-in. */
  losses: Type.Array(LossSum),
  /** Rows of its lanes that will not come, as this relay noted them; `refused` of them were not taken here. */
  absentRows: Type.Array(
    closed({ lane: oneOf(LANES), rows: Count, refused: Count, firstAtMs: UnixMs, lastAtMs: UnixMs }),
  ),
  disk: closed({ totalBytes: Count, freeBytes: Count }),
  clock: closed({ quality: ShortText, offsetMs: Type.Integer() }),
  /** Of the settings the box works by, as of its last check-in, and of those staff have made. */
  configGeneration: Count,
  configWanted: Count,
});
export type ApplianceView = Static<typeof ApplianceView>;

export const SiteDetail = closed({
  summary: SiteSummary,
  appliance: Nullable(ApplianceView),
  deviceCount: Count,
  agentTier: Type.Union([Type.Literal(0), Type.Literal(1), Type.Literal(2)]),
  requiredServices: Type.Array(ShortText),
  asOfMs: UnixMs,
});
export type SiteDetail = Static<typeof SiteDetail>;

export const TIER_SOURCES = ['agent', 'group', 'site'] as const;
const Tier = Type.Union([Type.Literal(0), Type.Literal(1), Type.Literal(2)]);
const wanted = {
  wantedTier: Type.Unsafe<0 | 1 | 2>({ ...Tier, description: 'what staff set; the box may not have it yet' }),
  tierFrom: oneOf(TIER_SOURCES, 'whose tier that is'),
  groupId: Nullable(Id('grp')),
};
export const AgentTierView = closed({ agentId: Id('agt'), ...wanted });

export const AgentView = closed({
  id: Id('agt'),
  hostname: ShortText,
  osFamily: ShortText,
  osVersion: ShortText,
  agentVersion: ShortText,
  /** what the box last told that it goes by */
  tier: Tier,
  ...wanted,
  state: oneOf(['active', 'removed'] as const),
  /** never online without a fresh heartbeat */
  status: FleetStatus,
  enrolledAtMs: UnixMs,
  lastHeartbeatAtMs: Nullable(UnixMs),
  telemetry: FactsObject,
  checks: Type.Array(CheckRow),
  /** Other management tools it has; null: nobody has looked */
  rmm: Nullable(closed({ findings: Type.Array(RmmFinding), lookedAtMs: UnixMs })),
});
export type AgentView = Static<typeof AgentView>;
export const AgentList = closed({ agents: Type.Array(AgentView), asOfMs: UnixMs });

export const ActionRunView = closed({
  id: Id('run'),
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
  /** the entry is covered by the relay's cosignature */
  cosigned: Type.Boolean(),
});
export type ActionRunView = Static<typeof ActionRunView>;

export const IncidentView = closed({
  id: Id('inc'),
  siteId: Id('site'),
  agentId: Nullable(Id('agt')),
  host: ShortText,
  check: ShortText,
  subject: ShortText,
  severity: oneOf(SEVERITIES),
  title: ShortText,
  reason: Text,
  state: oneOf(INCIDENT_STATES),
  nextStep: Text,
  openedAtMs: UnixMs,
  changedAtMs: UnixMs,
  resolvedAtMs: Nullable(UnixMs),
  evidenceSeq: Nullable(Count),
  cosigned: Type.Boolean(),
  actions: Type.Array(ActionRunView),
});
export type IncidentView = Static<typeof IncidentView>;
export const IncidentList = closed({ incidents: Type.Array(IncidentView), asOfMs: UnixMs });
export const IncidentQuery = closed({
  state: Type.Optional(oneOf(['open', 'all'] as const)),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
});

export const DeviceList = closed({ devices: Type.Array(DeviceRow), asOfMs: UnixMs });

export const EvidenceEntryView = closed({
  seq: Count,
  kind: ShortText,
  actor: ShortText,
  text: Text,
  outcome: ShortText,
  wallTimeMs: UnixMs,
  receivedAtMs: UnixMs,
  leafHash: Sha256Hex,
  cosigned: Type.Boolean(),
});
/** A log some box kept at the site; that of the box there now is current. `id` names it in a query. */
export const SiteLog = closed({
  id: ShortText,
  origin: ShortText,
  epoch: Count,
  serial: ShortText,
  isCurrent: Type.Boolean(),
  receivedSize: Count,
  cosignedSize: Count,
});
const LogId = Type.String({
  pattern: '^app_[a-z2-7]{26}/[1-9][0-9]{0,8}$',
  description: 'a log of before, as `logs` names it; without one that of the box there now',
});
export const EvidenceList = closed({
  state: EvidenceState,
  /** every log of every box the site ever had, newest first */
  logs: Type.Array(SiteLog),
  entries: Type.Array(EvidenceEntryView),
  nextBefore: Nullable(Count),
  asOfMs: UnixMs,
});
export const EvidenceQuery = closed({
  before: Type.Optional(Type.Integer({ minimum: 0 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  log: Type.Optional(LogId),
});
export const EvidenceProofQuery = closed({ log: Type.Optional(LogId) });
/** Raw parts a stranger needs to verify one entry offline. */
export const EvidenceEntryProof = closed({
  origin: ShortText,
  seq: Count,
  envelope: Type.String(),
  treeSize: Count,
  inclusionProof: Type.Array(Type.String({ description: 'base64 SHA-256' })),
  checkpoint: Type.String({ description: 'C2SP signed note with the cosignatures of the relay' }),
  evidenceKey: Type.String({ description: 'raw key that signed this entry' }),
  checkpointKey: Type.String({ description: 'raw key that signed the checkpoint' }),
  firstKey: Type.String({ description: 'raw key that signed entry 0; the transitions lead from it to the others' }),
  transitions: Type.Array(closed({ seq: Count, envelope: Type.String(), inclusionProof: Type.Array(Type.String()) })),
  witnessKeys: Type.Array(Type.String({ description: 'C2SP vkey' })),
});

export const OrderView = closed({
  id: Id('ord'),
  siteId: Id('site'),
  action: ShortText,
  params: FactsObject,
  /** Null: for all agents and the box. */
  agentId: Nullable(Id('agt')),
  state: oneOf(ORDER_STATES),
  code: Nullable(ShortText),
  detail: Text,
  /** It only said what it would do. */
  dryRun: Type.Boolean(),
  /** Of what mends: closed facts of its check. Null until it ended, and for all other actions. */
  before: Nullable(FactsObject),
  /** The same afterwards; for collect_diagnostics what the agent answered. */
  after: Nullable(FactsObject),
  /** An `undo` of this order would be taken now. */
  canUndo: Type.Boolean(),
  /** The order that put back what this one changed, or is about to; null: none. */
  undoneBy: Nullable(
    closed({ orderId: Id('ord'), requestedBy: ShortText, state: oneOf(ORDER_STATES), createdAtMs: UnixMs }),
  ),
  requestedBy: ShortText,
  createdAtMs: UnixMs,
  changedAtMs: UnixMs,
  expiresAtMs: UnixMs,
});
export type OrderView = Static<typeof OrderView>;
export const OrderList = closed({ orders: Type.Array(OrderView), asOfMs: UnixMs });
export const OrderRequest = closed({
  action: oneOf(ORDER_ACTIONS),
  agentId: Type.Optional(
    Type.String({
      pattern: '^agt_[a-z2-7]{26}$',
      description: 'run_check without one: all agents and the box; the other actions need it',
    }),
  ),
  checks: Type.Optional(Type.Array(ShortText, { maxItems: 16, description: 'run_check only; all when absent' })),
  params: Type.Optional(
    Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), {
      maxProperties: 64,
      description:
        'of actions that mend something, as ACTION_PARAMS in agent-proto/actions; undo: order_id of the order to undo',
    }),
  ),
});

/** What people call a client or a site: no blanks at its ends, nothing invisible, nothing that turns the text around. */
export const Name = Type.String({
  minLength: 1,
  maxLength: 120,
  pattern: NAME_PATTERN,
  description: NAME_WORDS,
});
const ServiceName = Type.String({
  pattern: '^[A-Za-z0-9@._][A-Za-z0-9@._-]{0,63}$',
  description: '1 to 64 of A-Z a-z 0-9 @ . _ - and no hyphen at the beginning',
});
export const ClientRequest = closed({ name: Name });
export const ClientView = closed({ id: Id('cli'), name: ShortText });
export const ClientList = closed({ clients: Type.Array(ClientView) });
export const SiteRequest = closed({
  clientId: Id('cli'),
  name: Name,
  agentTier: Type.Optional(Type.Union([Type.Literal(0), Type.Literal(1), Type.Literal(2)])),
  requiredServices: Type.Optional(Type.Array(ServiceName, { maxItems: 64 })),
  checkIntervalMs: Type.Optional(Type.Integer({ minimum: 1000, maximum: 86_400_000 })),
});
export const SitePatch = Type.Partial(Type.Omit(SiteRequest, ['clientId']), {
  additionalProperties: false,
  minProperties: 1,
});
export const ReleaseRequest = closed({
  applianceId: Type.String({ pattern: '^app_[a-z2-7]{26}$', description: 'the box the person looked at' }),
  genuineBootId: Type.Optional(
    Type.String({ pattern: '^[0-9a-f-]{32,36}$', description: 'the machine that may go on; others are held off' }),
  ),
});
export const SiteCreated = closed({ id: Id('site'), name: ShortText, clientId: Id('cli') });

/** What somebody's phone read from a label. */
export const CodeOpened = closed({ secret: Type.String({ pattern: '^[A-Za-z0-9_-]{22}$' }) });

export const TimelineItem = closed({
  atMs: UnixMs,
  kind: oneOf(['claim', 'incident', 'repair', 'order', 'evidence', 'config', 'agent', 'alarm'] as const),
  text: Text,
  actor: ShortText,
  severity: Nullable(oneOf(SEVERITIES)),
  ref: Nullable(ShortText),
  /** The line is an entry of the box's evidence log; null: it is the relay's own word. */
  entry: Nullable(closed({ seq: Type.Integer({ minimum: 0 }), cosigned: Type.Boolean() })),
});
export const Timeline = closed({ items: Type.Array(TimelineItem), asOfMs: UnixMs });

export const Ok = closed({ ok: Type.Literal(true) });
/** Data of a server-sent event `change`: what to fetch again. A `tick` event every 5 s carries asOfMs. */
export const LiveEvent = closed({
  kind: oneOf(['site', 'agents', 'incidents', 'evidence', 'orders', 'devices', 'claims'] as const),
  siteId: Nullable(Id('site')),
  atMs: UnixMs,
});
