import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { prepared } from './statements.ts';

export interface CertificateRecord {
  /** Hex, lower case. */
  readonly serial: string;
  readonly agentId: string;
  readonly notAfterMs: number;
  readonly revokedAtMs: number | null;
}

const COLUMNS = 'serial, agent_id AS agentId, not_after_ms AS notAfterMs, revoked_at_ms AS revokedAtMs';

export const CERTIFICATE_SQL = {
  insert: 'INSERT INTO agent_certificate (serial, agent_id, not_after_ms) VALUES (?, ?, ?)',
  bySerial: `SELECT ${COLUMNS} FROM agent_certificate WHERE serial = ?`,
  revokeOf: 'UPDATE agent_certificate SET revoked_at_ms = ? WHERE agent_id = ? AND revoked_at_ms IS NULL',
  // An active agent proves itself with its last one: deleted by a wrong clock, it would be locked out for good. By that of a
  // removed one it is told so, however late it comes.
  prune: `DELETE FROM agent_certificate WHERE not_after_ms < ? AND rowid NOT IN
    (SELECT max(rowid) FROM agent_certificate GROUP BY agent_id)`,
} as const;

export function insert(
  db: SqliteDatabase,
  { serial, agentId, notAfterMs }: Omit<CertificateRecord, 'revokedAtMs'>,
): void {
  prepared(db, CERTIFICATE_SQL.insert).run(serial, agentId, notAfterMs);
}

export function bySerial(db: SqliteDatabase, serial: string): CertificateRecord | undefined {
  return prepared<[string], CertificateRecord>(db, CERTIFICATE_SQL.bySerial).get(serial);
}

/** How many were still good. */
export function revokeOf(db: SqliteDatabase, { agentId, atMs }: { agentId: string; atMs: number }): number {
  return prepared(db, CERTIFICATE_SQL.revokeOf).run(atMs, agentId).changes;
}

/** Expired ones are refused by their date; `beforeMs` leaves room for a clock that jumps back. The last of each agent stays. */
export function prune(db: SqliteDatabase, beforeMs: number): number {
  return prepared(db, CERTIFICATE_SQL.prune).run(beforeMs).changes;
}
