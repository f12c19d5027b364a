import type { AgentRow, CheckRow, TelemetryLaneRow } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import { json, type SimBox } from './box.ts';

/** One workstation of this box and one of its checks, as they are now. */
export function telemetryRows(box: SimBox, nowMs: number, random: () => number): Buffer[] {
  const isFine = random() > 0.05;
  const agent: AgentRow = {
    type: 'agent',
    id: box.agentId,
    hostname: `${box.serial.toLowerCase()}-desk`,
    osFamily: 'windows',
    osVersion: '11 24H2',
    agentVersion: '0.1.0',
    tier: 0,
    state: 'active',
    connected: true,
    enrolledAtMs: box.grant.claimedAtMs,
    lastHeartbeatAtMs: nowMs,
    telemetry: { cpu_percent: Math.round(random() * 100), uptime_s: Math.round(performance.now() / 1000) },
  };
  const check: CheckRow = {
    type: 'check',
    agentId: box.agentId,
    check: 'firewall',
    subject: '',
    status: isFine ? 'pass' : 'fail',
    severity: 'high',
    controls: ['HIPAA:164.312(e)(1)'],
    expected: 'the firewall is on',
    actual: isFine ? 'the firewall is on' : 'the firewall is off',
    reason: isFine ? 'The firewall is on.' : 'The firewall is off. Turn it on.',
    facts: { active: isFine },
    collectedAtMs: nowMs,
    receivedAtMs: nowMs,
    sinceMs: nowMs,
  };
  return ([agent, check] satisfies TelemetryLaneRow[]).map(json);
}

/** Something happened on the site. */
export function logIncident(box: SimBox, nowMs: number): void {
  const target = { agentId: box.agentId, host: box.serial, check: 'firewall' as const, subject: '' };
  const actor = { type: 'agent' as const, id: box.agentId };
  const incidentId = newId('inc');
  const entry = (kind: 'incident_opened' | 'incident_resolved', code: string, text: string) =>
    box.log.append({ kind, actor, target, incidentId, outcome: { code, text } }, nowMs);
  entry('incident_opened', 'open', 'The firewall does not protect this computer. Severity high.');
  entry('incident_resolved', 'resolved', 'It is over: The firewall does not protect this computer.');
}
