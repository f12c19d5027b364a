import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { prepared } from './statements.ts';

export const ENROLL_TOKEN_SQL = {
  insert: 'INSERT INTO enroll_token (token_hash, created_at_ms, expires_at_ms) VALUES (?, ?, ?)',
  consume: `UPDATE enroll_token SET used_at_ms = ?, agent_id = ?, key_hash = ?
    WHERE token_hash = ? AND used_at_ms IS NULL AND expires_at_ms > ?`,
  find: `SELECT used_at_ms AS usedAtMs, agent_id AS agentId, key_hash AS keyHash FROM enroll_token
    WHERE token_hash = ? AND expires_at_ms > ?`,
  prune: 'DELETE FROM enroll_token WHERE expires_at_ms < ?',
} as const;

/** `hash`: SHA-256 of the token; the token itself is never stored. */
export function insert(
  db: SqliteDatabase,
  token: { hash: Uint8Array; createdAtMs: number; expiresAtMs: number },
): void {
  prepared(db, ENROLL_TOKEN_SQL.insert).run(token.hash, token.createdAtMs, token.expiresAtMs);
}

export type TokenState =
  | { readonly kind: 'open' }
  /** `keyHash`: SHA-256 of the public key that used it; null where that was not kept. */
  | { readonly kind: 'used'; readonly agentId: string; readonly keyHash: Buffer | null };

/** undefined for one that is unknown or expired. */
export function find(db: SqliteDatabase, { hash, nowMs }: { hash: Uint8Array; nowMs: number }): TokenState | undefined {
  type Raw = { usedAtMs: number | null; agentId: string | null; keyHash: Buffer | null };
  const raw = prepared<[Uint8Array, number], Raw>(db, ENROLL_TOKEN_SQL.find).get(hash, nowMs);
  if (raw === undefined) return undefined;
  return raw.usedAtMs === null ? { kind: 'open' } : { kind: 'used', agentId: raw.agentId ?? '', keyHash: raw.keyHash };
}

/** One statement, so of two callers with the same token one gets true. */
export function consume(
  db: SqliteDatabase,
  use: { hash: Uint8Array; agentId: string; keyHash: Uint8Array; nowMs: number },
): boolean {
  const { hash, agentId, keyHash, nowMs } = use;
  return prepared(db, ENROLL_TOKEN_SQL.consume).run(nowMs, agentId, keyHash, hash, nowMs).changes === 1;
}

export function prune(db: SqliteDatabase, beforeMs: number): number {
  return prepared(db, ENROLL_TOKEN_SQL.prune).run(beforeMs).changes;
}
