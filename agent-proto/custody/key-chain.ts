import { decodeEnvelope } from '../dsse/index.ts';
import { createEntryVerifier } from '../evidence/index.ts';
import type { CustodyProof, CustodyReceipt } from '../http/index.ts';
import { publicKeyFromRaw } from '../keys/index.ts';
import { verifyInclusion } from '../merkle/index.ts';
import { type KeyChain, wasInForce } from '../rotation/index.ts';

type ProvenEntry = CustodyProof['entries'][number];

/** The last entry of those that were read, proved to be in the tree of the checkpoint or not. */
export interface LastProven {
  readonly seq: number;
  readonly kind: string;
  readonly isInTree: boolean;
  readonly releaseId: unknown;
}

/**
 * The keys of a log from the one of entry 0 on: each entry is signed by the key in force and, where the proof is there,
 * stands in the tree of the last checkpoint. Throws TypeError naming the entry.
 */
export function readKeyChain(
  entries: readonly ProvenEntry[],
  { log, evk }: { log: CustodyReceipt['log']; evk: string },
): { keys: KeyChain; last: LastProven | undefined } {
  let keys: KeyChain = { first: evk, turns: [] };
  let inForce = evk;
  let last: LastProven | undefined;
  for (const entry of entries) {
    const { seq, kind, claimed, nextKey, releaseId } = readEntry(entry, { log, evk: inForce });
    if (seq <= (last?.seq ?? -1) || seq >= log.size) throw new TypeError(`Entry ${seq} is not in its place`);
    if (seq === 0 && kind === 'claim' && claimed !== undefined && claimed !== evk) {
      throw new TypeError(`Entry 0 names the key ${claimed}`);
    }
    last = { seq, kind, isInTree: entry.inclusionProof !== null, releaseId };
    if (nextKey === undefined) continue;
    if (wasInForce(keys, nextKey)) throw new TypeError(`Entry ${seq} hands over to a key that was in force before`);
    keys = { ...keys, turns: [...keys.turns, { seq, key: nextKey }] };
    inForce = nextKey;
  }
  return { keys, last };
}

function readEntry({ envelope, inclusionProof }: ProvenEntry, at: { log: CustodyReceipt['log']; evk: string }) {
  const { origin, size, rootHash } = at.log;
  const bytes = Buffer.from(envelope, 'latin1');
  const place = saidPlace(bytes);
  const verdict = createEntryVerifier(publicKeyFromRaw(at.evk))(bytes, { origin, ...place });
  if (!verdict.ok) throw new TypeError(`Entry ${place.seq}: ${verdict.detail}`);
  const isIn =
    inclusionProof === null ||
    verifyInclusion({
      leafHash: verdict.leafHash,
      index: place.seq,
      size,
      root: Buffer.from(rootHash, 'hex'),
      proof: inclusionProof.map((hash) => Buffer.from(hash, 'base64')),
    });
  if (!isIn) throw new TypeError(`Entry ${place.seq} is not in the log the checkpoint ends`);
  const { kind, after } = verdict.statement.predicate;
  const { evk: claimed, release_id: releaseId } = after?.facts ?? {};
  return { seq: place.seq, kind, claimed, nextKey: verdict.nextKey, releaseId };
}

/** Where the entry says to stand. The place is proved by the tree, and the entry before is not at hand. */
function saidPlace(bytes: Buffer): { seq: number; prev: string } {
  const { payload } = decodeEnvelope(bytes);
  const { predicate } = JSON.parse(Buffer.from(payload).toString('utf8')) as {
    predicate?: { seq?: number; prev?: string };
  };
  return { seq: predicate?.seq ?? -1, prev: predicate?.prev ?? '' };
}
