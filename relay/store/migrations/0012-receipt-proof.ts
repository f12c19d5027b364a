/** What a receipt's last checkpoint rests on, kept with it: keys change, and a receipt is to hold for years. */
export const receiptProof = (): string[] => ['ALTER TABLE custody_receipt ADD COLUMN proof TEXT'];
