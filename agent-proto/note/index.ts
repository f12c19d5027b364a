/** C2SP signed notes, checkpoints, cosignatures and the add-checkpoint request. */
export { type AddCheckpoint, encodeAddCheckpoint, MAX_PROOF_LINES, parseAddCheckpoint } from './add-checkpoint.ts';
export {
  type Checkpoint,
  checkpointText,
  parseCheckpoint,
  signCheckpoint,
  type TreeHead,
  verifyCheckpoint,
} from './checkpoint.ts';
export { appendSignatures, cosign, verifyCosignature } from './cosignature.ts';
export {
  encodeVkey,
  keyHash,
  NOTE_KEY_TYPES,
  type NoteKeyType,
  type NoteVerifier,
  parseVkey,
  verifierOf,
} from './key.ts';
export { formatNote, MAX_NOTE_BYTES, MAX_NOTE_SIGNATURES, type Note, type NoteSignature, parseNote } from './note.ts';
export {
  type NoteSigner,
  signNote,
  type VerifiedNote,
  type VerifiedSignature,
  verifyNote,
  verifyNoteAsync,
} from './sign.ts';
