import type { StoreKind } from '../types.ts';

/** Which claims came of an order to move a box, and what of them was not as ordered. */
export function claimArrival(_kind: StoreKind): string[] {
  return [
    'ALTER TABLE provision_session ADD COLUMN arrival TEXT',
    'CREATE INDEX provision_session_of_arrivals ON provision_session (fingerprint) WHERE arrival IS NOT NULL',
  ];
}
