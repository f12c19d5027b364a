/** Receipts of who gave a box up and who took it over, and how a stranger checks one. */
export { readSignedPayload } from './read-signed.ts';
export { type ReceiptSigner, type ReceiptVerdict, verifyReceipt } from './verify.ts';
