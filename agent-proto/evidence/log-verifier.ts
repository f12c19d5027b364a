import { publicKeyFromRaw } from '../keys/index.ts';
import { type KeyChain, keyInForce, wasInForce } from '../rotation/index.ts';
import { createEntryVerifier, type EntryVerdict } from './verify.ts';

export type LogVerdict = EntryVerdict;

export interface LogVerifier {
  /** The next entry of the log, from entry 0 on. After a fault nothing more is taken in: the same entry must come again. */
  next(bytes: Uint8Array): LogVerdict;
  /** Every key that was in force so far. */
  readonly keys: KeyChain;
  /** Raw key a checkpoint of this many entries, at most those seen so far, must be signed by. */
  checkpointKey(size: number): string;
}

/** Reads a whole log offline, knowing only where it comes from and the key it began with (`evk` of entry 0). */
export function createLogVerifier({ origin, evk }: { origin: string; evk: string }): LogVerifier {
  let keys: KeyChain = { first: evk, turns: [] };
  let verify = createEntryVerifier(publicKeyFromRaw(evk));
  let seq = 0;
  let prev = '';
  return {
    next(bytes) {
      const verdict = verify(bytes, { origin, seq, prev });
      if (!verdict.ok) return verdict;
      const { nextKey } = verdict;
      if (nextKey !== undefined) {
        if (wasInForce(keys, nextKey)) {
          return { ok: false, code: 'EVIDENCE_TRANSITION', detail: 'The new key was in force before' };
        }
        keys = { ...keys, turns: [...keys.turns, { seq, key: nextKey }] };
        verify = createEntryVerifier(publicKeyFromRaw(nextKey));
      }
      seq += 1;
      prev = verdict.leafHashHex;
      return verdict;
    },
    get keys() {
      return keys;
    },
    checkpointKey: (size) => keyInForce(keys, size),
  };
}
