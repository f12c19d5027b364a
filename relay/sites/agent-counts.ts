import { agentStatus, type Status } from '../fleet/index.ts';

export interface AgentPulse {
  id: string;
  applianceId: string;
  connected: boolean;
  lastHeartbeatAtMs: number | null;
  receivedAtMs: number;
}

export interface AgentCounts {
  total: number;
  /** Heard of lately, and no check fails or is unknown. */
  ok: number;
  failing: number;
  /** Not online. An agent can be away and failing. */
  away: number;
}

/** Counts the agents of one box by the same status and results its agents page shows. */
export function countAgents(
  agents: readonly AgentPulse[],
  {
    box,
    clockOffsetMs,
    nowMs,
    notPassed,
  }: {
    box: Status;
    clockOffsetMs: number;
    nowMs: number;
    /** Status of results that are not a pass, by agent. */
    notPassed: ReadonlyMap<string, ReadonlySet<string>>;
  },
): AgentCounts {
  const counts = { total: agents.length, ok: 0, failing: 0, away: 0 };
  for (const agent of agents) {
    const isOnline = agentStatus({ ...agent, box, clockOffsetMs, nowMs }).value === 'online';
    const results = notPassed.get(agent.id);
    if (results?.has('fail')) counts.failing += 1;
    if (!isOnline) counts.away += 1;
    if (isOnline && results === undefined) counts.ok += 1;
  }
  return counts;
}
