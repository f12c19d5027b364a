import type { Appliance } from '../api/types.ts';

type LossCode = Appliance['losses'][number]['code'];

/** Why something is missing. */
export const LOSSES: Record<LossCode, string> = {
  DISK_FULL: 'left out while the disk was short',
  OUTBOX_ROW_INVALID: 'refused by the relay, kept on the box',
  RECEIPT_INVALID: 'refused by the relay, kept on the box',
  RELAY_SET_BACK: 'lost by the relay, told again as it stood',
  DATABASE_DAMAGED: 'in a damaged file, which is kept on the box',
  CHECKIN_CHAIN_LOST: 'in a damaged file',
  EVIDENCE_SCHEMA: 'in words that fit no entry',
};
