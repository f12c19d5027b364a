import type { CheckName } from '@sitewarden/agent-proto/checks';
import { newId } from '@sitewarden/kit/ids';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { agentOrders, BOX } from '../store/index.ts';
import type { Effect } from './effects.ts';

/** A check takes seconds; an agent that was away longer than this runs its checks at connecting anyway. */
const RECHECK_EXPIRES_MS = 5 * 60 * 1000;

export interface Recheck {
  readonly source: string;
  readonly check: CheckName;
  readonly ruleId: string;
  /** The run it verifies; null when it only refreshes an old result. */
  readonly actionRunId: string | null;
  readonly nowMs: number;
}

/** Asks for a fresh result: an order row for an agent, a signal for the box. Belongs in a transaction. */
export function askRecheck(db: SqliteDatabase, { source, check, ruleId, actionRunId, nowMs }: Recheck): Effect {
  if (source === BOX) return { kind: 'self_check', check };
  agentOrders.insert(db, {
    id: newId('ord'),
    agentId: source,
    action: 'run_check',
    params: { checks: [check] },
    actionRunId,
    relayOrderId: null,
    requestedBy: `rule:${ruleId}`,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + RECHECK_EXPIRES_MS,
  });
  return { kind: 'agent_order', agentId: source };
}
