import type { CustodyKind, CustodyProof, CustodyReceipt } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import { relayErrors } from '../errors.ts';
import { ownPayload, type ReceiptKeys } from '../keys/index.ts';
import type { Tx } from '../store/index.ts';
import {
  type ApplianceRow,
  findReceipt,
  insertReceipt,
  listReceipts,
  type ReceiptRow,
} from '../store/repositories/custody.ts';
import { readLog } from '../store/repositories/evidence.ts';
import { findSiteName } from '../store/repositories/sites.ts';
import { partnerName } from '../store/repositories/staff.ts';
import { proofOf } from './proof.ts';

const MAX_LISTED = 50;
/** Of a reason and a name on a receipt; longer ones are cut, the rest is in the audit log. */
const MAX_CHARS = 256;

export interface ReceiptInput {
  /** The appliance as it was when it was given up, or as it is when it was taken over. */
  readonly box: ApplianceRow;
  readonly kind: CustodyKind;
  readonly by: string;
  readonly reason: string;
  readonly released?: string;
  readonly next?: CustodyReceipt['next'];
  readonly counterpart?: CustodyReceipt['counterpart'];
  readonly previous?: NonNullable<CustodyReceipt['previous']>;
  readonly atMs: number;
}

/** Signs and keeps a receipt, in the transaction of what it is about. Answers the text of its envelope. */
export async function issueReceipt(
  trx: Tx,
  keys: ReceiptKeys,
  { box, kind, by, reason, released, next, counterpart, previous, atMs }: ReceiptInput,
): Promise<string> {
  const log = await readLog(trx, { applianceId: box.id, epoch: box.epoch });
  const receipt: CustodyReceipt = {
    receiptId: newId('rcp'),
    kind,
    atMs,
    by: by.slice(0, MAX_CHARS),
    reason: reason.slice(0, MAX_CHARS),
    partnerName: (await partnerName(trx, box.partner_id)) ?? '',
    siteId: box.site_id,
    siteName: (await findSiteName(trx, box.site_id)) ?? '',
    box: {
      applianceId: box.id,
      epoch: box.epoch,
      serial: box.serial,
      model: box.model,
      dik: box.dik,
      evk: box.evk,
    },
    log: {
      origin: log?.origin ?? '',
      size: log?.cosignedSize ?? 0,
      rootHash: log?.cosignedRoot ?? '',
      checkpoint: log?.checkpoint ?? '',
    },
    released: released ?? null,
    next: next ?? null,
    counterpart: counterpart ?? null,
    ...(previous && { previous }),
  };
  const envelope = keys.sign('config', receipt, 'custody');
  await insertReceipt(trx, {
    id: receipt.receiptId,
    partner_id: box.partner_id,
    site_id: box.site_id,
    appliance_id: box.id,
    kind,
    at_ms: atMs,
    envelope,
    relay_keys: keys.publishedText,
    proof: JSON.stringify(await proofOf(trx, keys, { receipt, listText: keys.publishedText })),
  });
  return envelope;
}

export const receiptOf = (row: Pick<ReceiptRow, 'envelope'>): CustodyReceipt => ownPayload(row.envelope);

export async function receiptsOf(trx: Tx, siteId: string): Promise<CustodyReceipt[]> {
  return (await listReceipts(trx, siteId, MAX_LISTED)).map(receiptOf);
}

/** One receipt and what a stranger needs to check it, whatever keys changed since. Throws NOT_FOUND. */
export async function readReceipt(trx: Tx, keys: ReceiptKeys, id: string) {
  const row = await findReceipt(trx, id);
  if (row === undefined) throw relayErrors.make('NOT_FOUND');
  const receipt = receiptOf(row);
  // Those of before the proof was kept with them get it now.
  const proof: CustodyProof =
    row.proof === null
      ? await proofOf(trx, keys, { receipt, listText: row.relay_keys })
      : (JSON.parse(row.proof) as CustodyProof);
  return { receipt, bundle: { receipt: row.envelope, relayKeys: row.relay_keys, proof } };
}
