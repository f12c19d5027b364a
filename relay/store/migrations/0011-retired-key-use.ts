import type { StoreKind } from '../types.ts';

/** When the use of a retired device key was noted last; NULL: never, so that the first use still stops its box. */
export function retiredKeyUse(kind: StoreKind): string[] {
  return [`ALTER TABLE box_key ADD COLUMN used_at_ms ${kind === 'sqlite' ? 'INTEGER' : 'BIGINT'}`];
}
