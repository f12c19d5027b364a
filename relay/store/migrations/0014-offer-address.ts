/** Where a box that asks to be claimed calls from: of one address only so many requests for a place are listed. */
export const offerAddress = (): string[] => [`ALTER TABLE box_offer ADD COLUMN address TEXT NOT NULL DEFAULT ''`];
