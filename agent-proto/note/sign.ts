import type { KeyObject } from 'node:crypto';
import { ProtoError } from '../errors/index.ts';
import { rawPublicKey, sign, verify, verifyAsync } from '../keys/index.ts';
import { assertKeyName, keyHash, NOTE_KEY_TYPES, type NoteKeyType, type NoteVerifier } from './key.ts';
import { formatNote, type Note, type NoteSignature, noteString, parseNote } from './note.ts';

/** Who signs: the name goes on the signature line. */
export type NoteSigner = { name: string; privateKey: KeyObject };

/** A signature that held. `timestampS` (Unix seconds) only for cosignatures. */
export type VerifiedSignature = { name: string; keyHash: number; type: NoteKeyType; timestampS?: number };

/** A note at least one known key stands for; `verified` names each such key once. */
export type VerifiedNote = { text: string; verified: VerifiedSignature[]; unknown: NoteSignature[] };

const TIMESTAMP_BYTES = 8;
const COSIGNATURE_BYTES = TIMESTAMP_BYTES + 64;

/** C2SP tlog-cosignature v1: what a cosigner signs. */
export function cosignatureMessage(text: string, timestampS: number): string {
  return `cosignature/v1\ntime ${timestampS}\n${text}`;
}

export function assertNoteText(text: string): string {
  noteString(text);
  if (!text.endsWith('\n')) throw new ProtoError('NOTE_FORMAT', 'The text does not end with a newline');
  return text;
}

/** Signs `text` (which ends with a newline) into a whole note with one signature. Throws NOTE_FORMAT. */
export function signNote(text: string, signer: NoteSigner): string {
  assertNoteText(text);
  const name = assertKeyName(signer.name);
  const hash = keyHash(name, NOTE_KEY_TYPES.ed25519, rawPublicKey(signer.privateKey));
  return formatNote({
    text,
    signatures: [{ name, keyHash: hash, signature: sign(signer.privateKey, Buffer.from(text)) }],
  });
}

type Check = { bytes: Uint8Array; signature: Uint8Array; result: VerifiedSignature; key: KeyObject };

/** What has to be verified for one line under one key; undefined when its length is already wrong. */
function checkOf(text: string, line: NoteSignature, verifier: NoteVerifier): Check | undefined {
  const { name, type, keyHash: hash, key } = verifier;
  if (type === NOTE_KEY_TYPES.ed25519) {
    return { bytes: Buffer.from(text), signature: line.signature, result: { name, keyHash: hash, type }, key };
  }
  if (line.signature.length !== COSIGNATURE_BYTES) return undefined;
  const timestampS = Number(Buffer.from(line.signature).readBigUInt64BE(0));
  if (!Number.isSafeInteger(timestampS)) return undefined;
  const bytes = Buffer.from(cosignatureMessage(text, timestampS));
  const result = { name, keyHash: hash, type, timestampS };
  return { bytes, signature: line.signature.subarray(TIMESTAMP_BYTES), result, key };
}

/** Each known key once, so that counting entries counts keys; of several cosignatures of a key, the newest. */
function onePerKey(results: readonly VerifiedSignature[]): VerifiedSignature[] {
  const best = new Map<string, VerifiedSignature>();
  for (const result of results) {
    const id = `${result.name}+${result.keyHash}+${result.type}`;
    const known = best.get(id);
    if (!known || (result.timestampS ?? 0) > (known.timestampS ?? 0)) best.set(id, result);
  }
  return [...best.values()];
}

function refuseLine(name: string): never {
  throw new ProtoError('NOTE_SIGNATURE', `The signature of ${name} does not verify`);
}

function planChecks(note: Note, verifiers: readonly NoteVerifier[]): { checks: Check[]; unknown: NoteSignature[] } {
  const checks: Check[] = [];
  const unknown: NoteSignature[] = [];
  for (const line of note.signatures) {
    const known = verifiers.filter((verifier) => verifier.name === line.name && verifier.keyHash === line.keyHash);
    if (known.length === 0) unknown.push(line);
    for (const verifier of known) checks.push(checkOf(note.text, line, verifier) ?? refuseLine(line.name));
  }
  if (checks.length === 0) throw new ProtoError('NOTE_SIGNATURE');
  return { checks, unknown };
}

/**
 * Verifies every signature of a known key; signatures of unknown keys are handed back unjudged. Throws NOTE_FORMAT for
 * what is no note, NOTE_SIGNATURE when no key is known or a known key's signature fails.
 */
export function verifyNote(note: Uint8Array | string, verifiers: readonly NoteVerifier[]): VerifiedNote {
  const parsed = parseNote(note);
  const { checks, unknown } = planChecks(parsed, verifiers);
  for (const { key, bytes, signature, result } of checks) {
    if (!verify(key, bytes, signature)) refuseLine(result.name);
  }
  return { text: parsed.text, verified: onePerKey(checks.map(({ result }) => result)), unknown };
}

/** The same on the thread pool. */
export async function verifyNoteAsync(
  note: Uint8Array | string,
  verifiers: readonly NoteVerifier[],
): Promise<VerifiedNote> {
  const parsed = parseNote(note);
  const { checks, unknown } = planChecks(parsed, verifiers);
  const answers = await Promise.all(checks.map(({ key, bytes, signature }) => verifyAsync(key, bytes, signature)));
  const failed = checks[answers.indexOf(false)];
  if (failed) refuseLine(failed.result.name);
  return { text: parsed.text, verified: onePerKey(checks.map(({ result }) => result)), unknown };
}
