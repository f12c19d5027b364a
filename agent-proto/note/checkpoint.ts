import { ProtoError } from '../errors/index.ts';
import { decodeBase64 } from '../keys/index.ts';
import type { NoteVerifier } from './key.ts';
import { noteString } from './note.ts';
import { type NoteSigner, signNote, type VerifiedNote, verifyNote } from './sign.ts';

/** A tree head: `size` leaves, `rootHash` 32 bytes. */
export type TreeHead = { origin: string; size: number; rootHash: Uint8Array };

/** A parsed checkpoint text; extension lines are opaque. */
export type Checkpoint = TreeHead & { extensions: string[] };

const ROOT_BYTES = 32;
const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/;

/** A tree size as C2SP writes it, or undefined: ASCII decimal, no leading zero, at most 2^53 - 1. */
export function parseSize(text: string): number | undefined {
  const size = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(size) ? size : undefined;
}

function refuse(detail: string): never {
  throw new ProtoError('CHECKPOINT_FORMAT', detail);
}

/** Origin, size and root, a line each. Throws CHECKPOINT_FORMAT. */
export function checkpointText({ origin, size, rootHash }: TreeHead): string {
  if (rootHash.length !== ROOT_BYTES) refuse(`rootHash has ${rootHash.length} bytes, not 32`);
  const text = `${origin}\n${size}\n${Buffer.from(rootHash).toString('base64')}\n`;
  parseCheckpoint(text);
  return text;
}

/** Reads the text of a checkpoint note (not the note: see verifyCheckpoint). Throws CHECKPOINT_FORMAT, NOTE_FORMAT. */
export function parseCheckpoint(text: string): Checkpoint {
  if (!noteString(text).endsWith('\n')) refuse('The last line has no newline');
  const [origin, sizeLine = '', rootLine = '', ...extensions] = text.slice(0, -1).split('\n');
  const size = parseSize(sizeLine);
  const rootHash = decodeBase64(rootLine);
  if (!origin) return refuse('The origin is empty');
  if (size === undefined) return refuse('The tree size is not a plain decimal');
  if (rootHash?.length !== ROOT_BYTES) return refuse('The root is not 32 bytes in base64');
  if (extensions.includes('')) return refuse('An extension line is empty');
  return { origin, size, rootHash, extensions };
}

/** A checkpoint note signed by the log; the key name is the origin unless the signer says otherwise. */
export function signCheckpoint(head: TreeHead, signer: Omit<NoteSigner, 'name'> & { name?: string }): string {
  return signNote(checkpointText(head), { name: signer.name ?? head.origin, privateKey: signer.privateKey });
}

/** Verifies the note, then reads it. Throws NOTE_FORMAT, NOTE_SIGNATURE, CHECKPOINT_FORMAT. */
export function verifyCheckpoint(
  note: Uint8Array | string,
  verifiers: readonly NoteVerifier[],
): Checkpoint & VerifiedNote {
  const verified = verifyNote(note, verifiers);
  return { ...verified, ...parseCheckpoint(verified.text) };
}
