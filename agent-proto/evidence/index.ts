export { buildStatement, snapshotFacts } from './entry.ts';
export * from './statement.ts';
export { createEntryVerifier, type EntryFault, type EntryPlace, type EntryVerdict } from './verify.ts';
