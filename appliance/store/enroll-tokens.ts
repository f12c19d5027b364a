import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { prepared } from './statements.ts';

export const ENROLL_TOKEN_SQL = {
  insert: 'INSERT INTO enroll_token (token_hash, created_at_ms, expires_at_ms) VALUES (?, ?, ?)',
  consume: `UPDATE enroll_token SET used_at_ms = ?, agent_id = ?
    WHERE token_hash = ? AND used_at_ms IS NULL AND expires_at_ms > ?`,
  isOpen: 'SELECT 1 FROM enroll_token WHERE token_hash = ? AND used_at_ms IS NULL AND expires_at_ms > ?',
  prune: 'DELETE FROM enroll_token WHERE expires_at_ms < ?',
} as const;

/** `hash`: SHA-256 of the token; the token itself is never stored. */
export function insert(
  db: SqliteDatabase,
  token: { hash: Uint8Array; createdAtMs: number; expiresAtMs: number },
): void {
  prepared(db, ENROLL_TOKEN_SQL.insert).run(token.hash, token.createdAtMs, token.expiresAtMs);
}

export function isOpen(db: SqliteDatabase, { hash, nowMs }: { hash: Uint8Array; nowMs: number }): boolean {
  return prepared(db, ENROLL_TOKEN_SQL.isOpen).get(hash, nowMs) !== undefined;
}

/** One statement, so of two callers with the same token one gets true. */
export function consume(db: SqliteDatabase, use: { hash: Uint8Array; agentId: string; nowMs: number }): boolean {
  return prepared(db, ENROLL_TOKEN_SQL.consume).run(use.nowMs, use.agentId, use.hash, use.nowMs).changes === 1;
}

export function prune(db: SqliteDatabase, beforeMs: number): number {
  return prepared(db, ENROLL_TOKEN_SQL.prune).run(beforeMs).changes;
}
