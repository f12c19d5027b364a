import type { Facts } from '@sitewarden/agent-proto/agent';
import type { TierNumber } from '@sitewarden/agent-proto/checks';
import type { AgentRow } from '@sitewarden/agent-proto/http';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { json, prepared } from './statements.ts';

export interface AgentRecord {
  readonly id: string;
  readonly hostname: string;
  readonly osFamily: string;
  readonly osVersion: string;
  readonly agentVersion: string;
  readonly state: 'active' | 'removed';
  readonly tier: TierNumber;
  readonly enrolledAtMs: number;
  readonly connected: boolean;
  readonly lastHeartbeatAtMs: number | null;
  /** Reports up to this sequence number are on disk. */
  readonly ackedThrough: number;
  readonly telemetry: Facts;
  readonly changedAtMs: number;
}

export interface AgentHost {
  readonly hostname: string;
  readonly osFamily: string;
  readonly osVersion: string;
  readonly agentVersion: string;
}

const COLUMNS = `id, hostname, os_family AS osFamily, os_version AS osVersion, agent_version AS agentVersion, state, tier,
  enrolled_at_ms AS enrolledAtMs, connected, last_heartbeat_at_ms AS lastHeartbeatAtMs, acked_through AS ackedThrough,
  telemetry, changed_at_ms AS changedAtMs`;

export const AGENT_SQL = {
  insert: `INSERT INTO agent (id, hostname, os_family, os_version, agent_version, state, tier, enrolled_at_ms, changed_at_ms)
    VALUES (?, ?, ?, ?, ?, 'active', ?, ?, ?)`,
  byId: `SELECT ${COLUMNS} FROM agent WHERE id = ?`,
  list: `SELECT ${COLUMNS} FROM agent WHERE state = 'active' ORDER BY hostname, id`,
  counts: `SELECT count(*) AS total, coalesce(sum(connected), 0) AS connected FROM agent WHERE state = 'active'`,
  setHost: `UPDATE agent SET hostname = ?, os_family = ?, os_version = ?, agent_version = ?, changed_at_ms = ? WHERE id = ?`,
  // A session that begins is a sign of life as good as a heartbeat: an agent must not look away until its first one.
  setConnected: `UPDATE agent SET connected = @connected, changed_at_ms = @atMs,
    last_heartbeat_at_ms = CASE @connected WHEN 1 THEN @atMs ELSE last_heartbeat_at_ms END
    WHERE id = @id AND connected <> @connected`,
  disconnectAll: 'UPDATE agent SET connected = 0 WHERE connected <> 0',
  setTier: 'UPDATE agent SET tier = ?, changed_at_ms = ? WHERE id = ? AND tier <> ?',
  heartbeat: 'UPDATE agent SET last_heartbeat_at_ms = ?, telemetry = ?, changed_at_ms = ? WHERE id = ?',
  ackedThrough: 'SELECT acked_through AS ackedThrough FROM agent WHERE id = ?',
  setAckedThrough: 'UPDATE agent SET acked_through = ? WHERE id = ? AND acked_through < ?',
  remove: `UPDATE agent SET state = 'removed', connected = 0, changed_at_ms = ? WHERE id = ? AND state = 'active'`,
} as const;

type Raw = Omit<AgentRecord, 'connected' | 'telemetry'> & { connected: number; telemetry: string };

function record(raw: Raw): AgentRecord {
  return { ...raw, connected: raw.connected !== 0, telemetry: json(raw.telemetry) };
}

export function insert(
  db: SqliteDatabase,
  agent: { id: string; host: AgentHost; tier: TierNumber; enrolledAtMs: number },
): void {
  const { id, host, tier, enrolledAtMs } = agent;
  const { hostname, osFamily, osVersion, agentVersion } = host;
  prepared(db, AGENT_SQL.insert).run(id, hostname, osFamily, osVersion, agentVersion, tier, enrolledAtMs, enrolledAtMs);
}

/** Removed agents too. */
export function byId(db: SqliteDatabase, id: string): AgentRecord | undefined {
  const raw = prepared<[string], Raw>(db, AGENT_SQL.byId).get(id);
  return raw && record(raw);
}

/** Active ones, by hostname. */
export function list(db: SqliteDatabase): AgentRecord[] {
  return prepared<[], Raw>(db, AGENT_SQL.list).all().map(record);
}

export function counts(db: SqliteDatabase): { total: number; connected: number } {
  return prepared<[], { total: number; connected: number }>(db, AGENT_SQL.counts).get() ?? { total: 0, connected: 0 };
}

export function setHost(db: SqliteDatabase, { id, host, atMs }: { id: string; host: AgentHost; atMs: number }): void {
  const { hostname, osFamily, osVersion, agentVersion } = host;
  prepared(db, AGENT_SQL.setHost).run(hostname, osFamily, osVersion, agentVersion, atMs, id);
}

/** True when it was the other way before. */
export function setConnected(
  db: SqliteDatabase,
  { id, connected, atMs }: { id: string; connected: boolean; atMs: number },
) {
  return prepared(db, AGENT_SQL.setConnected).run({ id, connected: Number(connected), atMs }).changes === 1;
}

/** At start: no session survives the process. */
export function disconnectAll(db: SqliteDatabase): void {
  prepared(db, AGENT_SQL.disconnectAll).run();
}

/** True when it was another tier before. */
export function setTier(
  db: SqliteDatabase,
  { id, tier, atMs }: { id: string; tier: TierNumber; atMs: number },
): boolean {
  return prepared(db, AGENT_SQL.setTier).run(tier, atMs, id, tier).changes === 1;
}

export function heartbeat(db: SqliteDatabase, beat: { id: string; telemetry: Facts; atMs: number }): void {
  prepared(db, AGENT_SQL.heartbeat).run(beat.atMs, JSON.stringify(beat.telemetry), beat.atMs, beat.id);
}

/** Reports up to this sequence number are on disk; 0 for an unknown agent. */
export function ackedThrough(db: SqliteDatabase, id: string): number {
  return prepared<[string], { ackedThrough: number }>(db, AGENT_SQL.ackedThrough).get(id)?.ackedThrough ?? 0;
}

/** Never moves back. Belongs in the transaction that stores the reports. */
export function setAckedThrough(db: SqliteDatabase, id: string, seq: number): void {
  prepared(db, AGENT_SQL.setAckedThrough).run(seq, id, seq);
}

/** True when it was active. */
export function remove(db: SqliteDatabase, { id, atMs }: { id: string; atMs: number }): boolean {
  return prepared(db, AGENT_SQL.remove).run(atMs, id).changes === 1;
}

/** As the relay gets it. */
export function toRow(agent: AgentRecord): AgentRow {
  const { ackedThrough: _acked, changedAtMs: _changed, ...rest } = agent;
  return { type: 'agent', ...rest };
}
