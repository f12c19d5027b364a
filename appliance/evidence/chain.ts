import { encodeEnvelope, envelopeBytes, MAX_ENVELOPE_BYTES, pae } from '@sitewarden/agent-proto/dsse';
import { PAYLOAD_TYPES } from '@sitewarden/agent-proto/http';
import { leafHash } from '@sitewarden/agent-proto/merkle';
import type { EvidenceKey } from '../identity/index.ts';
import { type EntryPieces, statementText } from './entry-text.ts';

/** Where the next entry goes. `prev`: leaf hash of the one before, empty for entry 0. */
export interface ChainPlace {
  readonly origin: string;
  readonly seq: number;
  readonly prev: Uint8Array;
}

export interface SignedEntry {
  readonly seq: number;
  /** Of the entry before, as this one names it. */
  readonly prev: Uint8Array;
  /** The exact bytes of the DSSE envelope. */
  readonly envelope: Uint8Array;
  readonly leafHash: Uint8Array;
}

const PAYLOAD_TYPE = PAYLOAD_TYPES.evidence;

/**
 * Signs entries one after the other: each names the hash of the one before, signature and all, so there is nothing to do
 * side by side here. What can be prepared for all of them at once comes prepared (EntryPieces).
 */
export function signChain(
  evk: Pick<EvidenceKey, 'sign' | 'fingerprint'>,
  { origin, seq, prev }: ChainPlace,
  pieces: readonly EntryPieces[],
): SignedEntry[] {
  let before = prev;
  return pieces.map((one, i) => {
    const text = statementText(one, { origin, seq: seq + i, prev: hexOf(before) });
    const payload = Buffer.from(text, 'utf8');
    const signature = evk.sign(pae(PAYLOAD_TYPE, payload));
    const envelope = encodeEnvelope({ payloadType: PAYLOAD_TYPE, payload, keyId: evk.fingerprint, signature });
    const entry = { seq: seq + i, prev: before, envelope, leafHash: leafHash(envelope) };
    before = entry.leafHash;
    return entry;
  });
}

/** Below so many characters nothing needs measuring: UTF-8 makes three bytes of one at the most, base64 four of three. */
const SURELY_FITS_CHARS = 10_000;

/** Whether the entry fits an envelope, whatever its place in the log. */
export function fitsEnvelope(keyId: string, origin: string, pieces: EntryPieces): boolean {
  const { beforePrev, betweenPrevAndSeq, afterSeq } = pieces;
  if (beforePrev.length + betweenPrevAndSeq.length + afterSeq.length < SURELY_FITS_CHARS) return true;
  const text = statementText(pieces, { origin, seq: Number.MAX_SAFE_INTEGER, prev: 'f'.repeat(64) });
  const payloadBytes = Buffer.byteLength(text, 'utf8');
  return envelopeBytes({ payloadType: PAYLOAD_TYPE, keyId, payloadBytes }) <= MAX_ENVELOPE_BYTES;
}

const hexOf = (hash: Uint8Array): string => Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex');
