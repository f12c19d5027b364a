import { hash, type KeyObject } from 'node:crypto';
import { canonicalBytes, parseCanonical } from '../canonical/index.ts';
import { decodeEnvelope, type Envelope, verifyEnvelope, verifyEnvelopeAsync } from '../dsse/index.ts';
import { type BoxErrorCode, compile, PAYLOAD_TYPES } from '../http/index.ts';
import { rawPublicKey } from '../keys/index.ts';
import { leafHash } from '../merkle/index.ts';
import { readKeyTurn } from './key-turn.ts';
import { EvidenceStatement, MAX_ENVELOPE_BYTES, PREDICATE_TYPE, STATEMENT_TYPE } from './statement.ts';

export type EntryFault = Extract<BoxErrorCode, `EVIDENCE_${string}`>;

export interface EntryPlace {
  origin: string;
  /** Leaf index. */
  seq: number;
  /** Hex leaf hash of the entry before, '' for entry 0. */
  prev: string;
}

export type EntryVerdict =
  | {
      ok: true;
      statement: EvidenceStatement;
      leafHash: Uint8Array;
      leafHashHex: string;
      /** The key that signs all entries after this one, when it is a transition. */
      nextKey?: string;
    }
  | { ok: false; code: EntryFault; detail: string };

const fault = (code: EntryFault, detail: string): Extract<EntryVerdict, { ok: false }> => ({ ok: false, code, detail });

/**
 * Checks one entry against its place in the log, in this order: envelope, signature, canonical form, schema, log,
 * sequence, predecessor, subject digest, and of a change of the key the new key's signature. The signature comes before
 * the payload is parsed.
 */
export function createEntryVerifier(evk: KeyObject): (bytes: Uint8Array, place: EntryPlace) => EntryVerdict {
  return (bytes, place) => {
    const opened = openEntry(bytes);
    if ('ok' in opened) return opened;
    const payload = attempt(() => verifyEnvelope(opened, evk));
    if (!payload.ok) return fault('EVIDENCE_SIGNATURE', payload.detail);
    return judgeStatement(bytes, payload.value, { ...place, evk });
  };
}

/** The same with the signature checked on the thread pool; entries of one batch may be checked side by side. */
export function createEntryVerifierAsync(
  evk: KeyObject,
): (bytes: Uint8Array, place: EntryPlace) => Promise<EntryVerdict> {
  return async (bytes, place) => {
    const opened = openEntry(bytes);
    if ('ok' in opened) return opened;
    try {
      await verifyEnvelopeAsync(opened, evk);
    } catch (error) {
      return fault('EVIDENCE_SIGNATURE', (error as Error).message);
    }
    return judgeStatement(bytes, opened.payload, { ...place, evk });
  };
}

function openEntry(bytes: Uint8Array): Envelope | Extract<EntryVerdict, { ok: false }> {
  if (bytes.length > MAX_ENVELOPE_BYTES) return fault('EVIDENCE_FORMAT', `${bytes.length} bytes`);
  const envelope = attempt(() => decodeEnvelope(bytes));
  if (!envelope.ok) return fault('EVIDENCE_FORMAT', envelope.detail);
  if (envelope.value.payloadType !== PAYLOAD_TYPES.evidence) return fault('EVIDENCE_FORMAT', 'payloadType');
  return envelope.value;
}

function judgeStatement(bytes: Uint8Array, payload: Uint8Array, place: EntryPlace & { evk: KeyObject }): EntryVerdict {
  const parsed = attempt(() => parseCanonical(payload));
  if (!parsed.ok) return fault('EVIDENCE_FORMAT', parsed.detail);
  const valid = statementValidator()(parsed.value);
  if (!valid.ok) return fault('EVIDENCE_SCHEMA', `${valid.field} ${valid.detail}`);
  const statement = valid.value;
  const { predicate } = statement;
  if (predicate.seq !== place.seq) return fault('EVIDENCE_SEQ', `says ${predicate.seq}, stands at ${place.seq}`);
  const subject = statement.subject[0];
  if (subject?.name !== `${place.origin}#${place.seq}`) {
    return fault('EVIDENCE_FOREIGN', `belongs to ${subject?.name}`);
  }
  if (predicate.prev !== place.prev) return fault('EVIDENCE_PREV', `seq ${place.seq}`);
  if (subject.digest.sha256 !== predicateDigest(payload, statement)) {
    return fault('EVIDENCE_SCHEMA', '/subject/0/digest');
  }
  const leaf = leafHash(bytes);
  const good = { ok: true, statement, leafHash: leaf, leafHashHex: Buffer.from(leaf).toString('hex') } as const;
  if (predicate.kind !== 'evk_rotated') return good;
  const turn = readKeyTurn(predicate, { origin: place.origin, evk: rawPublicKey(place.evk) });
  return turn.ok ? { ...good, nextKey: turn.newKey } : fault('EVIDENCE_TRANSITION', turn.detail);
}

const HEAD = `{"_type":"${STATEMENT_TYPE}","predicate":`;

/**
 * SHA-256 of the canonical predicate. The payload is canonical and closed, so the predicate's own canonical bytes stand
 * in it between two known texts; writing them anew would cost as much as all checks but the signature.
 */
function predicateDigest(payload: Uint8Array, { predicate, subject }: EvidenceStatement): string {
  const { name, digest } = subject[0] as EvidenceStatement['subject'][number];
  const tail = `,"predicateType":"${PREDICATE_TYPE}","subject":[{"digest":{"sha256":"${digest.sha256}"},"name":${JSON.stringify(name)}}]}`;
  const end = payload.length - Buffer.byteLength(tail);
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const isBetween = bytes.toString('latin1', 0, HEAD.length) === HEAD && bytes.toString('utf8', end) === tail;
  return hash('sha256', isBetween ? bytes.subarray(HEAD.length, end) : canonicalBytes(predicate), 'hex');
}

let compiled: ReturnType<typeof compile<typeof EvidenceStatement>> | undefined;

function statementValidator() {
  compiled ??= compile(EvidenceStatement);
  return compiled;
}

function attempt<T>(run: () => T): { ok: true; value: T } | { ok: false; detail: string } {
  try {
    return { ok: true, value: run() };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}
