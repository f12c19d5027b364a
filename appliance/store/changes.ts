/** Kinds of rows in `change`; the hand-over from assess, healing, intake and uplink to evidence and outbox. */
export const CHANGE_KINDS = [
  'claimed', // ref: appliance id
  'config_applied', // ref: generation
  'agent_enrolled', // ref: agent id
  'agent_removed', // ref: agent id
  'agent_changed', // ref: agent id; telemetry only, no evidence
  'result_changed', // ref: source|check|subject; telemetry only, no evidence
  'incident_opened', // ref: incident id
  'incident_changed', // ref: incident id; outbox only, no evidence
  'incident_needs_person', // ref: incident id
  'incident_resolved', // ref: incident id
  'action_started', // ref: action run id
  'action_finished', // ref: action run id (done, failed, refused, indeterminate)
  'action_verified', // ref: action run id (verified, not_verified)
  'order_received', // ref: relay order id
  'order_finished', // ref: relay order id
  'device_seen', // ref: device id; telemetry only, no evidence
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];
