import { BOX_PATHS, type RelayKeys } from '@sitewarden/agent-proto/http';
import { consistencyProof } from '@sitewarden/agent-proto/merkle';
import {
  appendSignatures,
  encodeAddCheckpoint,
  NOTE_KEY_TYPES,
  verifierOf,
  verifyCosignature,
} from '@sitewarden/agent-proto/note';
import type { ApplianceContext } from '../lib/context.ts';
import type { RelayClient } from '../lib/relay-client.ts';
import { RelayFailure } from '../lib/relay-failure.ts';
import { evidence, state } from '../store/index.ts';

/** Has the newest checkpoint of at most `maxSize` entries cosigned when it is not yet. Answers the cosigned size. Rejects with RelayFailure. */
export async function sendCheckpoint(
  ctx: Pick<ApplianceContext, 'db' | 'log' | 'metrics'>,
  client: RelayClient,
  maxSize: number,
): Promise<number> {
  const { db } = ctx;
  const newest = evidence.lastCheckpointThrough(db, maxSize);
  const cosigned = evidence.lastCosigned(db)?.size ?? 0;
  if (newest === undefined || newest.size <= cosigned) return cosigned;
  const lines = await addCheckpoint(ctx, client, { oldSize: cosigned, size: newest.size, note: newest.note });
  const note = withCosignatures(newest.note, lines, state.relayKeys(db));
  evidence.setCosigned(db, newest.size, note);
  ctx.metrics.evidenceCosignedSize.set(newest.size);
  return newest.size;
}

interface Offer {
  readonly oldSize: number;
  readonly size: number;
  readonly note: string;
}

async function addCheckpoint(
  ctx: Pick<ApplianceContext, 'db' | 'log'>,
  client: RelayClient,
  { oldSize, size, note }: Offer,
): Promise<string> {
  const proof = consistencyProof((level, index) => evidence.node(ctx.db, level, index), oldSize, size);
  const body = encodeAddCheckpoint({ oldSize, proof, checkpoint: note });
  try {
    const answer = await client.send({ method: 'POST', path: BOX_PATHS.checkpoint, body, contentType: 'text/plain' });
    return answer.body.toString('utf8');
  } catch (error) {
    if (!(error instanceof RelayFailure) || error.code !== 'CHECKPOINT_CONFLICT') throw error;
    const known = error.data.size;
    if (!Number.isSafeInteger(known) || (known as number) === oldSize) throw error;
    const here = evidence.size(ctx.db);
    if ((known as number) > here) {
      // It cosigned a longer tree of this key than there is here: the disk was set back, or a copy of this box exists.
      throw new RelayFailure({
        kind: 'permanent',
        code: 'EVIDENCE_DIVERGED',
        detail: `It knows ${known}, here are ${here}`,
      });
    }
    // A kept checkpoint is older than what the relay knows; the next one will not be.
    if ((known as number) > size) throw error;
    return await addCheckpoint(ctx, client, { oldSize: known as number, size, note });
  }
}

/** The note with the relay's lines, once a witness line among them verifies under a witness key. */
function withCosignatures(note: string, lines: string, keys: RelayKeys | undefined): string {
  const fault = (detail: string, cause?: unknown) =>
    new RelayFailure({ kind: 'ambiguous', code: 'COSIGNATURE_INVALID', detail, cause });
  if (keys === undefined) throw fault('The keys of the relay are not known');
  const name = `${keys.host}/witness`;
  let why: unknown;
  for (const { publicKey } of keys.witness) {
    try {
      const cosigned = appendSignatures(note, lines);
      verifyCosignature(cosigned, verifierOf({ name, publicKey, type: NOTE_KEY_TYPES.cosignature }));
      return cosigned;
    } catch (error) {
      why = error;
    }
  }
  throw fault(why instanceof Error ? why.message : 'No witness line', why);
}
