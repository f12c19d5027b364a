import type { StoreKind } from '../types.ts';

/** When somebody first opened the page of a code on a phone, before any box presented it. */
export function codeLife(kind: StoreKind): string[] {
  const int = kind === 'sqlite' ? 'INTEGER' : 'BIGINT';
  return [`ALTER TABLE provision_code ADD COLUMN scanned_at_ms ${int}`];
}
