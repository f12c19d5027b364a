import { isUtf8 } from 'node:buffer';
import { ProtoError } from '../errors/index.ts';
import { decodeBase64 } from '../keys/index.ts';
import { isKeyName } from './key.ts';

/** One signature line: who says to have signed (`name`, `keyHash`) and the signature bytes behind the key id. */
export type NoteSignature = { name: string; keyHash: number; signature: Uint8Array };

/** A note taken apart; nothing about it is verified yet. `text` ends with its newline. */
export type Note = { text: string; signatures: NoteSignature[] };

export const MAX_NOTE_BYTES = 128 * 1024;
/** C2SP asks verifiers to take at least 16. */
export const MAX_NOTE_SIGNATURES = 32;

const KEY_ID_BYTES = 4;
const SIGNATURE_LINE = /^\u2014 ([^ ]+) ([A-Za-z0-9+/]+={0,2})$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;

function refuse(detail: string): never {
  throw new ProtoError('NOTE_FORMAT', detail);
}

/** Well-formed text out of bytes or a string; no control character but newline. Throws NOTE_FORMAT. */
export function noteString(note: Uint8Array | string): string {
  const size = typeof note === 'string' ? Buffer.byteLength(note) : note.length;
  if (size > MAX_NOTE_BYTES) refuse(`The note has ${size} bytes, more than ${MAX_NOTE_BYTES}`);
  if (typeof note === 'string' ? !note.isWellFormed() : !isUtf8(note)) refuse('The note is not UTF-8');
  const text = typeof note === 'string' ? note : Buffer.from(note).toString('utf8');
  if (CONTROL.test(text)) refuse('The note holds a control character');
  return text;
}

function parseLine(line: string): NoteSignature {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
  const bytes = encoded === undefined ? undefined : decodeBase64(encoded);
  if (!name || !isKeyName(name) || !bytes || bytes.length <= KEY_ID_BYTES)
    return refuse('A signature line is malformed');
  return { name, keyHash: bytes.readUInt32BE(0), signature: bytes.subarray(KEY_ID_BYTES) };
}

/** Signature lines as a witness answers with them, each ending in a newline. Throws NOTE_FORMAT. */
export function parseSignatureLines(lines: string): NoteSignature[] {
  if (!lines.endsWith('\n')) refuse('The last signature line has no newline');
  const parts = lines.slice(0, -1).split('\n');
  if (parts.length > MAX_NOTE_SIGNATURES) refuse(`The note has more than ${MAX_NOTE_SIGNATURES} signatures`);
  return parts.map(parseLine);
}

/** Takes a signed note apart at its last empty line. Throws NOTE_FORMAT. */
export function parseNote(note: Uint8Array | string): Note {
  const whole = noteString(note);
  const cut = whole.lastIndexOf('\n\n');
  if (cut < 0) refuse('The note has no empty line before its signatures');
  return { text: whole.slice(0, cut + 1), signatures: parseSignatureLines(whole.slice(cut + 2)) };
}

/** `— name base64(key id || signature)` and a newline. */
export function signatureLine({ name, keyHash, signature }: NoteSignature): string {
  const bytes = Buffer.alloc(KEY_ID_BYTES + signature.length);
  bytes.writeUInt32BE(keyHash, 0);
  bytes.set(signature, KEY_ID_BYTES);
  return `\u2014 ${name} ${bytes.toString('base64')}\n`;
}

/** The note's bytes-as-text again; `parseNote` of it gives the same note. */
export function formatNote({ text, signatures }: Note): string {
  return `${text}\n${signatures.map(signatureLine).join('')}`;
}
