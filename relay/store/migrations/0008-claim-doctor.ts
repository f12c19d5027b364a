import type { StoreKind } from '../types.ts';

/** What a box that is being claimed says of its way to the relay. */
export function claimDoctor(kind: StoreKind): string[] {
  const int = kind === 'sqlite' ? 'INTEGER' : 'BIGINT';
  return ['ALTER TABLE box_offer ADD COLUMN doctor TEXT', `ALTER TABLE box_offer ADD COLUMN doctor_at_ms ${int}`];
}
