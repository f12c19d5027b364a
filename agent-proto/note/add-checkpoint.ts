import { ProtoError } from '../errors/index.ts';
import { decodeBase64 } from '../keys/index.ts';
import { parseCheckpoint, parseSize } from './checkpoint.ts';
import { noteString, parseNote } from './note.ts';

/** A C2SP tlog-witness add-checkpoint body: proof hashes of 32 bytes, `checkpoint` the whole signed note. */
export type AddCheckpoint = { oldSize: number; proof: Uint8Array[]; checkpoint: string };

export const MAX_PROOF_LINES = 63;
const HASH_BYTES = 32;

function refuse(detail: string): never {
  throw new ProtoError('ADD_CHECKPOINT_FORMAT', detail);
}

/** Throws ADD_CHECKPOINT_FORMAT, NOTE_FORMAT, CHECKPOINT_FORMAT. */
export function encodeAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  const hashes = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('');
  const text = `old ${oldSize}\n${hashes}\n${checkpoint}`;
  parseAddCheckpoint(text);
  return text;
}

/**
 * Reads the request; the checkpoint inside is well-formed and not below the old size, but not yet verified. Throws
 * ADD_CHECKPOINT_FORMAT, NOTE_FORMAT, CHECKPOINT_FORMAT: the answers a witness gives status 400.
 */
export function parseAddCheckpoint(body: Uint8Array | string): AddCheckpoint {
  const text = noteString(body);
  const cut = text.indexOf('\n\n');
  if (cut < 0) return refuse('There is no empty line after the proof');
  const [oldLine = '', ...proofLines] = text.slice(0, cut).split('\n');
  const oldSize = oldLine.startsWith('old ') ? parseSize(oldLine.slice(4)) : undefined;
  if (oldSize === undefined) return refuse('The first line is not "old" and a plain decimal');
  if (proofLines.length > MAX_PROOF_LINES) return refuse(`There are more than ${MAX_PROOF_LINES} proof lines`);
  const proof = proofLines.map((line) => {
    const hash = decodeBase64(line);
    return hash?.length === HASH_BYTES ? hash : refuse('A proof line is not 32 bytes in base64');
  });
  const checkpoint = text.slice(cut + 2);
  const { size } = parseCheckpoint(parseNote(checkpoint).text);
  if (oldSize > size) return refuse(`The old size ${oldSize} is above the checkpoint's ${size}`);
  return { oldSize, proof, checkpoint };
}
