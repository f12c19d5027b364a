import type { StoreKind } from '../types.ts';

/** Which other management tools a workstation has, as its box said last; NULL: it never looked. */
export function agentRmm(kind: StoreKind): string[] {
  const int = kind === 'sqlite' ? 'INTEGER' : 'BIGINT';
  return ['ALTER TABLE agent ADD COLUMN rmm TEXT', `ALTER TABLE agent ADD COLUMN rmm_looked_at_ms ${int}`];
}
