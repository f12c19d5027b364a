export { buildStatement, snapshotFacts } from './entry.ts';
export * from './statement.ts';
export {
  createEntryVerifier,
  createEntryVerifierAsync,
  type EntryFault,
  type EntryPlace,
  type EntryVerdict,
} from './verify.ts';
export { CLOSED_FACTS, type ClosedFact, ENGINE_NAMES, isPlainName, RECEIPT_CODES } from './vocabulary.ts';
