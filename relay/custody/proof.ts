import type { CustodyProof, CustodyReceipt, RelayKeys } from '@sitewarden/agent-proto/http';
import { encodeVkey, NOTE_KEY_TYPES, parseVkey, verifyCosignature } from '@sitewarden/agent-proto/note';
import { cosignerName, ownPayload, type ReceiptKeys } from '../keys/index.ts';
import type { Tx } from '../store/index.ts';
import { type LogRef, readEnvelope, readKeyTurns, readLog } from '../store/repositories/evidence.ts';
import { storedInclusion } from '../witness/index.ts';

/**
 * What the last checkpoint of a receipt rests on: the list of the relay's keys that were valid when it was cosigned, where
 * `listText`, the one the receipt goes out with, does not name them any more; and how the key that signed it follows from
 * that of entry 0.
 */
export async function proofOf(
  trx: Tx,
  keys: Pick<ReceiptKeys, 'formerlyPublished'>,
  { receipt, listText }: { receipt: CustodyReceipt; listText: string },
): Promise<CustodyProof> {
  const { log, box } = receipt;
  if (log.checkpoint === '') return { relayKeysBefore: [], entries: [] };
  const key = { applianceId: box.applianceId, epoch: box.epoch };
  return {
    relayKeysBefore: listsBefore(keys, log.checkpoint, listText),
    entries: await provenEntries(trx, key, { size: log.size, isClosed: receipt.released !== null }),
  };
}

function listsBefore(
  { formerlyPublished }: Pick<ReceiptKeys, 'formerlyPublished'>,
  checkpoint: string,
  listText: string,
): string[] {
  const now = ownPayload<RelayKeys>(listText);
  if (hasCosigned(now, checkpoint)) return [];
  const then = formerlyPublished.findLast(
    ({ keys }) => keys.generation < now.generation && hasCosigned(keys, checkpoint),
  );
  return then === undefined ? [] : [then.text];
}

function hasCosigned({ host, witness }: RelayKeys, checkpoint: string): boolean {
  return witness.some(({ publicKey }) => {
    const name = cosignerName(host, 'witness');
    try {
      verifyCosignature(checkpoint, parseVkey(encodeVkey({ name, publicKey, type: NOTE_KEY_TYPES.cosignature })));
      return true;
    } catch {
      return false;
    }
  });
}

/** Entry 0, the changes of the key and the end of a closed log, with their place in the tree where all of it is here. */
async function provenEntries(
  trx: Tx,
  key: LogRef,
  { size, isClosed }: { size: number; isClosed: boolean },
): Promise<CustodyProof['entries']> {
  const isWhole = ((await readLog(trx, key))?.receivedSize ?? 0) >= size;
  const turns = await readKeyTurns(trx, key);
  const wanted = [0, ...turns.map(({ seq }) => seq), ...(isClosed ? [size - 1] : [])].filter((seq) => seq < size);
  const found: CustodyProof['entries'] = [];
  for (const index of new Set(wanted)) {
    const envelope = await readEnvelope(trx, key, index);
    if (envelope === undefined) continue;
    const proof = isWhole ? await storedInclusion(trx, key, { index, size }) : undefined;
    found.push({ envelope, inclusionProof: proof?.map((hash) => Buffer.from(hash).toString('base64')) ?? null });
  }
  return found;
}
