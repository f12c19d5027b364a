import type { CheckRow } from '@sitewarden/agent-proto/http';
import { agentStatus, fleetStatus } from '../fleet/index.ts';
import type { Tx } from '../store/index.ts';
import { listAgents, type StoredAgent } from '../store/repositories/agents.ts';
import { listChecks } from '../store/repositories/checks.ts';
import { readCurrentBox } from '../store/repositories/sites.ts';
import { type AgentTier, tiersOf } from '../tiers/index.ts';
import { assertSite } from './assert-site.ts';

type Facts = Record<string, string | number | boolean | string[]>;

/** Workstations of the box at a site, each with its latest results. Throws NOT_FOUND. */
export async function listSiteAgents(trx: Tx, siteId: string, nowMs: number) {
  await assertSite(trx, siteId);
  const current = await readCurrentBox(trx, siteId);
  if (current === undefined) return { agents: [], asOfMs: nowMs };
  const box = fleetStatus({ lastCheckinAtMs: current.live?.lastCheckinAtMs ?? null, nowMs });
  const clockOffsetMs = current.live?.clockOffsetMs ?? 0;
  const checks = new Map<string, CheckRow[]>();
  for (const { source, row } of await listChecks(trx, current.id)) {
    const known = checks.get(source);
    if (known) known.push(row);
    else checks.set(source, [row]);
  }
  const stored = await listAgents(trx, current.id);
  const tiers = await tiersOf(
    trx,
    siteId,
    stored.map(({ id }) => id),
  );
  const agents = stored.map((agent, index) => ({
    ...identityOf(agent),
    ...wantedOf(tiers[index] as AgentTier),
    status: agentStatus({ ...agent, box, clockOffsetMs, nowMs }),
    checks: checks.get(agent.id) ?? [],
  }));
  return { agents, asOfMs: nowMs };
}

const wantedOf = ({ agentId: _id, ...wanted }: AgentTier) => wanted;

function identityOf(agent: StoredAgent) {
  return {
    id: agent.id,
    hostname: agent.hostname,
    osFamily: agent.osFamily,
    osVersion: agent.osVersion,
    agentVersion: agent.agentVersion,
    tier: agent.tier,
    state: agent.state,
    enrolledAtMs: agent.enrolledAtMs,
    lastHeartbeatAtMs: agent.lastHeartbeatAtMs,
    telemetry: JSON.parse(agent.telemetry) as Facts,
    rmm: agent.rmm,
  };
}
