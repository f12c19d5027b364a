import type { CheckGoneRow, CheckRow } from '@sitewarden/agent-proto/http';

/** `gone`: nobody looks at it any more. */
export type HistoryStatus = CheckRow['status'] | 'gone';

/** A check of one workstation on one subject. */
export interface CheckKey {
  readonly agentId: string;
  readonly check: string;
  readonly subject: string;
}

export interface Held {
  readonly status: HistoryStatus;
  readonly fromMs: number;
}

export type CheckChange = CheckKey & Held;

export const keyOf = ({ agentId, check, subject }: CheckKey): string => JSON.stringify([agentId, check, subject]);

/**
 * What changed with these rows, in the order they came; results of the box itself have no history. A change begins no
 * later than the relay heard of it and after the one before it, whatever the clock of the box says. Pure.
 */
export function changesOf(
  rows: readonly (CheckRow | CheckGoneRow)[],
  before: ReadonlyMap<string, Held>,
  receivedAtMs: number,
): CheckChange[] {
  const held = new Map(before);
  const changes: CheckChange[] = [];
  for (const row of rows) {
    if (row.agentId === null) continue;
    const key = { agentId: row.agentId, check: row.check, subject: row.subject };
    const status: HistoryStatus = row.type === 'check' ? row.status : 'gone';
    const last = held.get(keyOf(key));
    if (last?.status === status || (last === undefined && status === 'gone')) continue;
    const saidMs = Math.min(row.type === 'check' ? row.sinceMs : row.atMs, receivedAtMs);
    const change: CheckChange = {
      ...key,
      status,
      fromMs: last === undefined ? saidMs : Math.max(saidMs, last.fromMs + 1),
    };
    held.set(keyOf(key), change);
    changes.push(change);
  }
  return changes;
}
