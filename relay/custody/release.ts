import type { ReleasePayload } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import { ownPayload, type ReceiptKeys } from '../keys/index.ts';
import type { Tenant } from '../lib/identity.ts';
import type { Tx } from '../store/index.ts';
import { arrivalsAt } from '../store/repositories/arrivals.ts';
import {
  type ApplianceRow,
  findRelease,
  insertRelease,
  lockAppliance,
  moveRelease,
  openReleases,
  type ReleaseRow,
} from '../store/repositories/custody.ts';
import { findSiteName, lockSite, readCurrentBox } from '../store/repositories/sites.ts';
import { partnerName } from '../store/repositories/staff.ts';
import { leaveSite } from './leave.ts';
import { decideRelease, type ReleaseState } from './machine.ts';

interface Wish {
  readonly tenant: Tenant;
  readonly siteId: string;
  /** The box the person looked at. */
  readonly applianceId: string;
  readonly reason: string;
  readonly nowMs: number;
  /** The site of the same partner it moves to; without one it belongs to nobody afterwards. */
  readonly toSiteId?: string;
}

/** The box a person named, if it is in service at that site. Throws APPLIANCE_LEFT. */
async function boxAt(trx: Tx, { siteId, applianceId }: Pick<Wish, 'siteId' | 'applianceId'>): Promise<ApplianceRow> {
  const box = await lockAppliance(trx, applianceId);
  if (box === undefined || box.site_id !== siteId || box.state === 'revoked') {
    throw relayErrors.make('APPLIANCE_LEFT', { field: '/applianceId' });
  }
  return box;
}

/**
 * Asks the box to close its log and leave; it hears of it at its next check-in. Asked twice it stays the first one.
 * With `toSiteId` it moves there. Throws APPLIANCE_LEFT, RELEASE_QUARANTINED, RELEASE_WAITS, TRANSFER_SITE_TAKEN, NOT_FOUND.
 */
export async function orderRelease(trx: Tx, keys: ReceiptKeys, wish: Wish): Promise<void> {
  const { tenant, siteId, reason, nowMs } = wish;
  // Two orders for one place come one after the other.
  if (wish.toSiteId !== undefined) await lockSite(trx, wish.toSiteId);
  const box = await boxAt(trx, wish);
  if (box.release_id !== null) {
    if (wish.toSiteId === undefined) return;
    throw relayErrors.make('RELEASE_WAITS', { field: '/applianceId' });
  }
  // Of two boxes with one identity nobody knows which one would close the log.
  if (box.state === 'quarantined') throw relayErrors.make('RELEASE_QUARANTINED', { field: '/applianceId' });
  const payload: ReleasePayload = {
    releaseId: newId('rel'),
    applianceId: box.id,
    epoch: box.epoch,
    dikFingerprint: box.dik_fingerprint,
    siteId,
    siteName: (await findSiteName(trx, siteId)) ?? '',
    partnerName: (await partnerName(trx, tenant.partnerId)) ?? '',
    by: tenant.actor.slice(0, 256),
    reason,
    orderedAtMs: nowMs,
    ...(wish.toSiteId !== undefined && { to: await targetOf(trx, wish, wish.toSiteId) }),
  };
  await insertRelease(trx, {
    id: payload.releaseId,
    partner_id: tenant.partnerId,
    site_id: siteId,
    appliance_id: box.id,
    epoch: box.epoch,
    reason,
    ordered_by: tenant.actor,
    ordered_at_ms: nowMs,
    envelope: keys.sign('config', payload, 'release'),
  });
  await audit(trx, wish, 'box.release_ordered', {
    serial: box.serial,
    release: payload.releaseId,
    reason,
    ...(payload.to && { toSiteId: payload.to.siteId }),
  });
}

/** A site with a box, or to which another one was told to move or is on its way, takes no second one. */
async function targetOf(
  trx: Tx,
  { tenant, siteId }: Wish,
  toSiteId: string,
): Promise<{ siteId: string; siteName: string }> {
  const siteName = await findSiteName(trx, toSiteId);
  if (siteName === undefined || toSiteId === siteId) {
    throw relayErrors.make('NOT_FOUND', { field: '/toSiteId', detail: 'There is no such other site' });
  }
  // In this order: a box that leaves between two of these looks, or arrives, is in the later one.
  const ordered = (await openReleases(trx)).map(({ envelope }) => ownPayload<ReleasePayload>(envelope).to?.siteId);
  const arriving = await arrivalsAt(trx, { partnerId: tenant.partnerId, siteId: toSiteId });
  if (arriving.length > 0 || ordered.includes(toSiteId) || (await readCurrentBox(trx, toSiteId)) !== undefined) {
    throw relayErrors.make('TRANSFER_SITE_TAKEN', { field: '/toSiteId' });
  }
  return { siteId: toSiteId, siteName };
}

/** Takes a release back that the box has not got yet. Throws NOT_FOUND, RELEASE_UNDER_WAY, RELEASE_OVER. */
export async function withdrawRelease(
  trx: Tx,
  { tenant, siteId, releaseId, nowMs }: Omit<Wish, 'applianceId' | 'reason'> & { releaseId: string },
): Promise<string> {
  const found = await findRelease(trx, releaseId);
  if (found === undefined || found.site_id !== siteId) throw relayErrors.make('NOT_FOUND');
  const box = await lockAppliance(trx, found.appliance_id);
  const release = (await findRelease(trx, releaseId)) as ReleaseRow;
  const verdict = decideRelease(release.state as ReleaseState, { type: 'withdraw' });
  if (!verdict.ok) throw relayErrors.make(verdict.code);
  if (verdict.isNew) {
    await moveRelease(trx, release, { to: verdict.next, atMs: nowMs });
    const wish = { tenant, siteId, applianceId: release.appliance_id, reason: '', nowMs };
    await audit(trx, wish, 'box.release_withdrawn', { serial: box?.serial ?? '', release: releaseId });
  }
  return release.appliance_id;
}

/** Takes a box off its site that cannot be asked: lost, broken, stolen. Throws APPLIANCE_LEFT. */
export async function removeBox(trx: Tx, keys: ReceiptKeys, wish: Wish): Promise<void> {
  const { tenant, reason, nowMs } = wish;
  const box = await boxAt(trx, wish);
  const who = { by: tenant.actor, staffId: tenant.staffId, reason, atMs: nowMs };
  await leaveSite(trx, keys, { applianceId: box.id, why: 'removed', ...who });
}

async function audit(
  trx: Tx,
  { tenant, siteId, applianceId, nowMs }: Wish,
  action: string,
  detail: Record<string, string>,
): Promise<void> {
  await appendAudit(trx, {
    partnerId: tenant.partnerId,
    atMs: nowMs,
    actor: tenant.actor,
    action,
    ref: siteId,
    detail: { applianceId, ...detail, staffId: tenant.staffId },
  });
}
