import { formatDuration } from './duration.ts';
import { fleetStatus, type Status, type StatusValue } from './status.ts';

export interface AgentStatusInput {
  /** Status of the box that reports the agent. */
  box: Status;
  connected: boolean;
  /** Last heartbeat by the clock of the box. */
  lastHeartbeatAtMs: number | null;
  /** Clock of the box minus the clock of the relay, as measured at its last check-in. */
  clockOffsetMs: number;
  /** When the relay received this row. */
  receivedAtMs: number;
  nowMs: number;
}

const RANK: Record<StatusValue, number> = { online: 0, stale: 1, offline: 2, pending: 3 };

/**
 * An agent is online only with a fresh heartbeat as the box knows it AND a fresh box: the worse of the two counts. A
 * heartbeat never counts as newer than the row that told of it, whatever the clock of the box says.
 */
export function agentStatus(input: AgentStatusInput): Status {
  const { box, connected, lastHeartbeatAtMs, clockOffsetMs, receivedAtMs, nowMs } = input;
  if (lastHeartbeatAtMs === null) {
    return { value: 'pending', ageMs: null, sinceMs: null, reason: 'pending: the agent has not reported yet' };
  }
  const heartbeatAtMs = Math.min(lastHeartbeatAtMs - clockOffsetMs, receivedAtMs, nowMs);
  const own = fleetStatus({ lastCheckinAtMs: heartbeatAtMs, nowMs });
  const heard = `last heartbeat ${formatDuration(own.ageMs ?? 0)} ago`;
  if (RANK[box.value] > RANK[own.value]) {
    // A pending box cannot have told of a heartbeat that still means anything.
    const value = box.value === 'pending' ? 'offline' : box.value;
    return { value, ageMs: own.ageMs, sinceMs: box.sinceMs, reason: `${value}: the box itself is ${box.reason}` };
  }
  if (!connected && own.value === 'online') {
    return {
      value: 'stale',
      ageMs: own.ageMs,
      sinceMs: receivedAtMs,
      reason: `stale: the agent is not connected to the box, ${heard}`,
    };
  }
  return { ...own, reason: `${own.value}: ${heard}` };
}
