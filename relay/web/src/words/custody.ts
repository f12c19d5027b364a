import type { Receipt } from '../api/types.ts';

/** What a receipt is about, and what it means for whoever holds it. */
export const RECEIPTS: Record<Receipt['kind'], { title: string; says: string }> = {
  released: {
    title: 'Released',
    says: 'The box closed its log and left the site. Its last checkpoint is signed by the box and cosigned by the relay.',
  },
  removed: {
    title: 'Removed',
    says: 'The box was taken off the site without its word. Its log ends at the last entry the relay cosigned.',
  },
  rearmed: {
    title: 'Re-armed',
    says: 'The box goes on at the site under a new key. The log under the old key ends at the last entry the relay cosigned.',
  },
  received: {
    title: 'Received',
    says: 'The box was claimed for this site under the device key below. A box that was somewhere else before left a receipt there that names the same key. Its log here begins anew; where it was moved from another site of the same company, the first entry names the end of the log there.',
  },
};
