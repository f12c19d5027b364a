export { closedFacts, onlyClosedFacts, wholeNumber } from './closed-facts.ts';
export { buildStatement, snapshotFacts } from './entry.ts';
export { type KeyTurn, keyTurnFacts, readKeyTurn } from './key-turn.ts';
export { createLogVerifier, type LogVerdict, type LogVerifier } from './log-verifier.ts';
export * from './statement.ts';
export {
  createEntryVerifier,
  createEntryVerifierAsync,
  type EntryFault,
  type EntryPlace,
  type EntryVerdict,
} from './verify.ts';
export {
  CLOSED_FACTS,
  CLOSED_PARAMS,
  type ClosedFact,
  ENGINE_NAMES,
  isPlainName,
  RECEIPT_CODES,
} from './vocabulary.ts';
