import { hostname } from 'node:os';
import { SEVERITIES } from '@sitewarden/agent-proto/checks';
import type { ActionRunRow, DeviceRow, IncidentRow, LossSum } from '@sitewarden/agent-proto/http';
import type { ApplianceContext } from '../lib/context.ts';
import {
  countOpenIncidents,
  devices,
  failingBySource,
  type Incident,
  incidentById,
  isStuck,
  losses,
  openIncidents,
  recentActionRuns,
  recentlyResolvedIncidents,
  type StageHealth,
  stageHealths,
  toActionRunChange,
  toIncidentRow,
} from '../store/index.ts';
import type { HostSnapshot, Telemetry } from '../telemetry/index.ts';
import { type Headline, headlineOf } from './headline.ts';
import type { AgentInfo, LocalServices } from './services.ts';

export interface AgentStatus extends AgentInfo {
  /** Checks that fail now. */
  readonly failing: number;
}

export interface ActionStatus extends ActionRunRow {
  readonly host: string;
  readonly title: string;
}

/** Everything the page shows, and the answer of GET /api/local/status. */
export interface LocalStatus {
  readonly nowMs: number;
  readonly headline: Headline;
  readonly identity: LocalServices['identity'] & { readonly host: string };
  readonly claim: ReturnType<LocalServices['claim']['snapshot']>;
  readonly uplink: ReturnType<LocalServices['uplink']['snapshot']>;
  readonly wake: ReturnType<LocalServices['wake']['snapshot']>;
  readonly lanes: ReturnType<LocalServices['outbox']['snapshot']>;
  /** What is known to be missing here. */
  readonly losses: readonly LossSum[];
  readonly laneFaults: ReturnType<LocalServices['outbox']['faults']>;
  readonly agents: {
    readonly total: number;
    readonly connected: number;
    /** Agents with at least one failing check. */
    readonly failing: number;
    readonly list: readonly AgentStatus[];
  };
  readonly incidents: {
    readonly openTotal: number;
    /** Most urgent first; bounded, hence the total. */
    readonly open: readonly IncidentRow[];
    readonly resolved: readonly IncidentRow[];
  };
  /** Newest first. */
  readonly actions: readonly ActionStatus[];
  readonly evidence: ReturnType<LocalServices['evidence']['snapshot']>;
  readonly discovery: ReturnType<LocalServices['discovery']['snapshot']>;
  readonly devices: { readonly total: number; readonly list: readonly DeviceRow[] };
  readonly host: HostSnapshot;
  /** The way of the data through this box, in its order. */
  readonly stages: readonly StageStatus[];
}

export interface StageStatus extends StageHealth {
  /** Rows wait and it gets nowhere with them. */
  readonly isStuck: boolean;
}

/** The page is for a look, not for an archive. */
export const STATUS_LIMITS = { incidents: 200, resolved: 10, actions: 10, devices: 200 } as const;

export interface StatusSources {
  readonly ctx: Pick<ApplianceContext, 'db' | 'clock'>;
  readonly services: LocalServices;
  readonly telemetry: Telemetry;
}

export async function readStatus({ ctx, services, telemetry }: StatusSources): Promise<LocalStatus> {
  const host = await telemetry.snapshot();
  const { db } = ctx;
  const list = agentList(db, services);
  const known = devices.list(db).map(devices.toRow);
  const facts = {
    nowMs: ctx.clock.nowMs(),
    identity: { ...services.identity, host: hostname() },
    claim: services.claim.snapshot(),
    uplink: services.uplink.snapshot(),
    wake: services.wake.snapshot(),
    lanes: services.outbox.snapshot(),
    laneFaults: services.outbox.faults(),
    losses: losses(db),
    agents: {
      total: list.length,
      connected: list.filter((agent) => agent.connected).length,
      failing: list.filter((agent) => agent.failing > 0).length,
      list,
    },
    incidents: {
      openTotal: countOpenIncidents(db),
      open: openIncidents(db).sort(byUrgency).slice(0, STATUS_LIMITS.incidents).map(toIncidentRow),
      resolved: recentlyResolvedIncidents(db, STATUS_LIMITS.resolved).map(toIncidentRow),
    },
    actions: actionList(db),
    evidence: services.evidence.snapshot(),
    discovery: services.discovery.snapshot(),
    devices: {
      total: known.length,
      list: known.sort((a, b) => b.lastSeenMs - a.lastSeenMs).slice(0, STATUS_LIMITS.devices),
    },
    host,
    stages: readStages(ctx),
  };
  return { ...facts, headline: headlineOf(facts) };
}

export const readStages = ({ db, clock }: Pick<ApplianceContext, 'db' | 'clock'>): StageStatus[] =>
  stageHealths(db, clock).map((stage) => ({ ...stage, isStuck: isStuck(stage) }));

function agentList(db: ApplianceContext['db'], services: LocalServices): AgentStatus[] {
  const failing = failingBySource(db);
  return services.agents.list().map((agent) => ({ ...agent, failing: failing.get(agent.id) ?? 0 }));
}

function actionList(db: ApplianceContext['db']): ActionStatus[] {
  return recentActionRuns(db, STATUS_LIMITS.actions).flatMap((run) => {
    const incident = incidentById(db, run.incidentId);
    if (incident === undefined) return [];
    const { row, target } = toActionRunChange(run, incident);
    return [{ ...row, host: target.host, title: incident.title }];
  });
}

/** Who needs a person comes first, then the severest, then the oldest. */
function byUrgency(a: Incident, b: Incident): number {
  const calls = Number(b.state === 'needs_person') - Number(a.state === 'needs_person');
  const severity = SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity);
  return calls || severity || a.openedAtMs - b.openedAtMs;
}
