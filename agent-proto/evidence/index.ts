export { buildStatement, snapshotFacts } from './entry.ts';
export * from './statement.ts';
export {
  createEntryVerifier,
  createEntryVerifierAsync,
  type EntryFault,
  type EntryPlace,
  type EntryVerdict,
} from './verify.ts';
