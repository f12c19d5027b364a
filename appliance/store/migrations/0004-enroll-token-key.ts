import type { Database } from 'better-sqlite3';

/** Whose answer may have been lost: the key that used the token gets it again. SHA-256 of its SubjectPublicKeyInfo. */
export function up(db: Database): void {
  db.exec('ALTER TABLE enroll_token ADD COLUMN key_hash BLOB');
}
