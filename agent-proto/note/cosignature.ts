import { ProtoError } from '../errors/index.ts';
import { rawPublicKey, sign } from '../keys/index.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { assertKeyName, keyHash, NOTE_KEY_TYPES, type NoteVerifier } from './key.ts';
import { formatNote, parseNote, parseSignatureLines, signatureLine } from './note.ts';
import { cosignatureMessage, type NoteSigner, verifyNote } from './sign.ts';

/**
 * A witness's signature line (with its newline) over a checkpoint note, at `timestampS` Unix seconds. The caller has
 * verified the checkpoint and its consistency. Throws NOTE_FORMAT, CHECKPOINT_FORMAT.
 */
export function cosign(note: Uint8Array | string, signer: NoteSigner & { timestampS: number }): string {
  const { text } = parseNote(note);
  parseCheckpoint(text);
  const { privateKey, timestampS } = signer;
  const name = assertKeyName(signer.name);
  // Zero means "no statement about time" and is not allowed for this signature type's answers.
  if (!Number.isSafeInteger(timestampS) || timestampS <= 0) {
    throw new ProtoError('NOTE_FORMAT', 'timestampS is not a positive number of whole seconds');
  }
  const timestamp = Buffer.alloc(8);
  timestamp.writeBigUInt64BE(BigInt(timestampS));
  const signature = Buffer.concat([timestamp, sign(privateKey, Buffer.from(cosignatureMessage(text, timestampS)))]);
  return signatureLine({
    name,
    keyHash: keyHash(name, NOTE_KEY_TYPES.cosignature, rawPublicKey(privateKey)),
    signature,
  });
}

/** The note with more signature lines, e.g. a witness's answer. Throws NOTE_FORMAT. */
export function appendSignatures(note: Uint8Array | string, lines: string): string {
  const { text, signatures } = parseNote(note);
  return formatNote(parseNote(formatNote({ text, signatures: [...signatures, ...parseSignatureLines(lines)] })));
}

/**
 * When the cosigner says to have seen this checkpoint, in Unix seconds; with several lines of the same key, the
 * newest. Throws NOTE_SIGNATURE when it never did or a line fails.
 */
export function verifyCosignature(note: Uint8Array | string, verifier: NoteVerifier): { timestampS: number } {
  if (verifier.type !== NOTE_KEY_TYPES.cosignature) {
    throw new ProtoError('NOTE_SIGNATURE', `The key ${verifier.name} is not a cosignature key`);
  }
  const { text, verified } = verifyNote(note, [verifier]);
  parseCheckpoint(text);
  return { timestampS: verified[0]?.timestampS as number };
}
