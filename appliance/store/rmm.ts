import type { RmmRow } from '@sitewarden/agent-proto/http';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { json, prepared } from './statements.ts';

export const RMM_SQL = {
  latest: 'SELECT agent_id AS agentId, findings, looked_at_ms AS lookedAtMs FROM rmm_latest WHERE agent_id = ?',
  put: `INSERT INTO rmm_latest (agent_id, findings, looked_at_ms) VALUES (?, ?, ?)
    ON CONFLICT (agent_id) DO UPDATE SET findings = excluded.findings, looked_at_ms = excluded.looked_at_ms`,
} as const;

/** Undefined for an agent that never looked. */
export function latestRmm(db: SqliteDatabase, agentId: string): RmmRow | undefined {
  const row = prepared<[string], { agentId: string; findings: string; lookedAtMs: number }>(db, RMM_SQL.latest).get(
    agentId,
  );
  return row && { type: 'rmm', agentId: row.agentId, findings: json(row.findings), lookedAtMs: row.lookedAtMs };
}

export function putRmm(db: SqliteDatabase, { agentId, findings, lookedAtMs }: RmmRow): void {
  prepared<[string, string, number]>(db, RMM_SQL.put).run(agentId, JSON.stringify(findings), lookedAtMs);
}
