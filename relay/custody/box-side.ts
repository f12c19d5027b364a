import { readSignedPayload } from '@sitewarden/agent-proto/custody';
import { compile, PAYLOAD_TYPES, ReleasedPayload, type ReleasePayload } from '@sitewarden/agent-proto/http';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import { ownPayload, type ReceiptKeys, type RelayKeyring } from '../keys/index.ts';
import type { Box } from '../lib/identity.ts';
import type { Tx } from '../store/index.ts';
import { revokeAppliance } from '../store/repositories/appliances.ts';
import { insertArrival } from '../store/repositories/arrivals.ts';
import { retireKeys } from '../store/repositories/box-keys.ts';
import {
  type ApplianceRow,
  findRelease,
  lockAppliance,
  moveRelease,
  type ReleaseRow,
} from '../store/repositories/custody.ts';
import { listEntries, readLog } from '../store/repositories/evidence.ts';
import { decideRelease, type ReleaseEvent, type ReleaseState } from './machine.ts';
import { issueReceipt } from './receipts.ts';

const LAST_ENTRY = 'released';
const validate = compile(ReleasedPayload);

/** Throws APPLIANCE_REVOKED, APPLIANCE_QUARANTINED, RELEASE_NONE. */
async function pendingOf(trx: Tx, { applianceId }: Box): Promise<{ box: ApplianceRow; release: ReleaseRow }> {
  const box = await lockAppliance(trx, applianceId);
  if (box === undefined || box.state === 'revoked') throw relayErrors.make('APPLIANCE_REVOKED');
  if (box.state !== 'active') throw relayErrors.make('APPLIANCE_QUARANTINED');
  const release = box.release_id === null ? undefined : await findRelease(trx, box.release_id);
  if (release === undefined) throw relayErrors.make('RELEASE_NONE');
  return { box, release };
}

async function move(trx: Tx, release: ReleaseRow, { event, atMs }: { event: ReleaseEvent; atMs: number }) {
  const verdict = decideRelease(release.state as ReleaseState, event);
  if (!verdict.ok) throw relayErrors.make(verdict.code);
  if (verdict.isNew) await moveRelease(trx, release, { to: verdict.next, atMs });
}

/**
 * What waits for the box. From here on it cannot be taken back: the box may already be closing its log. It is signed now
 * and for the key the box asks with: either side may have changed its keys since it was ordered.
 */
export async function fetchRelease(
  trx: Tx,
  keys: Pick<RelayKeyring, 'sign'>,
  { asking, nowMs }: { asking: Box; nowMs: number },
): Promise<{ release: string }> {
  const { release } = await pendingOf(trx, asking);
  await move(trx, release, { event: { type: 'fetch' }, atMs: nowMs });
  const given: ReleasePayload = { ...ownPayload<ReleasePayload>(release.envelope), dikFingerprint: asking.fingerprint };
  return { release: keys.sign('config', given, 'release') };
}

function readWord(text: string, { dik, applianceId, epoch }: Box, releaseId: string): ReleasedPayload {
  let word: ReleasedPayload;
  try {
    word = readSignedPayload(text, { payloadType: PAYLOAD_TYPES.released, keys: [dik], validate });
  } catch (cause) {
    throw relayErrors.make('BODY_INVALID', { field: '/released', detail: (cause as Error).message, cause });
  }
  if (word.applianceId === applianceId && word.epoch === epoch && word.releaseId === releaseId) return word;
  throw relayErrors.make('RELEASE_NONE');
}

/** The log the box says it closed is here, cosigned at that size and root, and the release is its last entry. */
async function isClosed(trx: Tx, box: ApplianceRow, { size, rootHash }: ReleasedPayload): Promise<boolean> {
  const key = { applianceId: box.id, epoch: box.epoch };
  const log = await readLog(trx, key);
  if (log === undefined || log.fault !== null) return false;
  if (log.receivedSize !== size || log.cosignedSize !== size || log.cosignedRoot !== rootHash) return false;
  const [last] = await listEntries(trx, key, { limit: 1 });
  return last?.kind === LAST_ENTRY && last.seq === size - 1;
}

/** The box has closed its log: it is nobody's from this commit on. Throws RELEASE_NONE, RELEASE_LOG_OPEN. */
export async function closeRelease(
  trx: Tx,
  keys: ReceiptKeys,
  { asking, released, nowMs }: { asking: Box; released: string; nowMs: number },
): Promise<{ receipt: string; toSiteId: string | null }> {
  const { box, release } = await pendingOf(trx, asking);
  const word = readWord(released, asking, release.id);
  await move(trx, release, {
    event: { type: 'close', isLogClosed: await isClosed(trx, box, word) },
    atMs: nowMs,
  });
  await retireKeys(trx, { applianceId: box.id, fingerprint: box.dik_fingerprint, why: 'released', atMs: nowMs });
  await revokeAppliance(trx, box.id, nowMs);
  const { reason, ordered_by: by } = release;
  const { to, siteName, partnerName } = ownPayload<ReleasePayload>(release.envelope);
  const counterpart = to === undefined ? null : { partnerName, siteName: to.siteName };
  const receipt = await issueReceipt(trx, keys, {
    box,
    kind: 'released',
    by,
    reason,
    released,
    counterpart,
    atMs: nowMs,
  });
  if (to !== undefined) {
    await insertArrival(trx, {
      fingerprint: box.dik_fingerprint,
      partner_id: box.partner_id,
      site_id: to.siteId,
      from_appliance: box.id,
      from_site_name: siteName,
      serial: box.serial,
      ordered_by: by,
      at_ms: nowMs,
    });
  }
  await appendAudit(trx, {
    partnerId: box.partner_id,
    atMs: nowMs,
    actor: `appliance:${box.id}`,
    action: 'box.released',
    ref: box.site_id,
    detail: {
      applianceId: box.id,
      serial: box.serial,
      release: release.id,
      size: word.size,
      ...(to && { toSiteId: to.siteId }),
    },
  });
  return { receipt, toSiteId: to?.siteId ?? null };
}
