import { isMendingAction, type MendingAction } from '@sitewarden/agent-proto/actions';

const MINUTE_MS = 60_000;
/** A download from a slow mirror, and the engine that reads it. */
const OTHERS_MS = 20 * MINUTE_MS;

const RUNS_ON_MS: Partial<Record<MendingAction, number>> = {
  restart_service: MINUTE_MS,
  start_service: MINUTE_MS,
  /** The download, the trial, and the time the new agent has to connect. */
  update_agent: 60 * MINUTE_MS,
  /** One package, or one transaction of rpm, that was begun in the window. */
  security_updates_install: 120 * MINUTE_MS,
};

/** An order is only begun before its time is over: what mends something may then run on for so long. */
export const runsOnMs = (action: string): number => (isMendingAction(action) ? (RUNS_ON_MS[action] ?? OTHERS_MS) : 0);
