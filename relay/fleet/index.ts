/** Fleet status: pure deciders, the clock passed in. */
export { type AgentStatusInput, agentStatus } from './agent-status.ts';
export { formatDuration, plural } from './duration.ts';
export { type EvidenceFacts, type EvidenceMark, type EvidenceState, evidenceState } from './evidence-state.ts';
export {
  COSIGN_LATE_MS,
  type HealthVerdict,
  healthRank,
  QUEUE_LATE_MS,
  type SiteFacts,
  type SiteHealth,
  siteHealth,
} from './site-health.ts';
export { fleetStatus, nextFlipAtMs, STATUS_LIMITS, type Status, type StatusInput, type StatusValue } from './status.ts';
