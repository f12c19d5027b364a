/** Why nothing is done about an incident, or not now. */
export const PLAN_CODES = {
  NO_RULE: 'No rule covers this.',
  TIER_TOO_LOW: 'The tier of this computer does not let Sitewarden change anything on it.',
  AGENT_AWAY: 'The agent is not connected.',
  COOLDOWN: 'The same repair ran a short while ago.',
  ATTEMPTS_EXHAUSTED: 'The repair was tried as often as its rule allows.',
  TARGET_UNKNOWN: 'It is not known, or not allowed, what the repair should act on.',
} as const;
export type PlanCode = keyof typeof PLAN_CODES;

/** Codes of an action run that this program sets; the agent's own codes stand beside them. */
export const RUN_CODES = {
  INTERRUPTED: 'The box stopped while the repair ran, so it is not known whether it took effect.',
  ORDER_EXPIRED: 'The agent did not begin the repair in time, so it was called off.',
  ORDER_UNANSWERED: 'The agent began the repair and never said how it ended.',
  SERVICE_NOT_RUNNING: 'The service did not come up.',
  NOT_VERIFIED: 'No check confirmed the repair in time.',
} as const;
export type RunCode = keyof typeof RUN_CODES;
