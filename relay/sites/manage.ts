import { newId } from '@sitewarden/kit/ids';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import { withinConfigRoom } from '../keys/index.ts';
import type { Tenant } from '../lib/identity.ts';
import type { Tx } from '../store/index.ts';
import { hasClient, insertSite, isNameTaken, type SiteSettings, updateSite } from '../store/repositories/sites.ts';
import { assertSite } from './assert-site.ts';

const DEFAULTS = { agentTier: 0, checkIntervalMs: 3_600_000, heartbeatIntervalMs: 60_000 } as const;

type Wish = SiteSettings & { clientId: string; name: string };

/** Throws NOT_FOUND for a client this tenant does not have, NAME_TAKEN. */
export async function createSite(trx: Tx, { tenant, wish, nowMs }: { tenant: Tenant; wish: Wish; nowMs: number }) {
  const { partnerId, actor } = tenant;
  if (!(await hasClient(trx, wish.clientId))) {
    throw relayErrors.make('NOT_FOUND', { field: '/clientId', detail: 'There is no such client' });
  }
  const site = { id: newId('site'), name: wish.name, clientId: wish.clientId };
  const isNew = await insertSite(trx, partnerId, {
    ...site,
    agentTier: wish.agentTier ?? DEFAULTS.agentTier,
    requiredServices: unique(wish.requiredServices ?? []),
    checkIntervalMs: wish.checkIntervalMs ?? DEFAULTS.checkIntervalMs,
    heartbeatIntervalMs: DEFAULTS.heartbeatIntervalMs,
    createdAtMs: nowMs,
  });
  if (!isNew) throw relayErrors.make('NAME_TAKEN', { field: '/name' });
  await appendAudit(trx, {
    partnerId,
    atMs: nowMs,
    actor,
    action: 'site.created',
    ref: site.id,
    detail: { name: site.name, clientId: site.clientId },
  });
  return site;
}

/** The box of the site gets the new settings, signed, after its next check-in. Throws NOT_FOUND, NAME_TAKEN, SITE_CONFIG_FULL. */
export async function changeSite(
  trx: Tx,
  { tenant, siteId, settings, nowMs }: { tenant: Tenant; siteId: string; settings: SiteSettings; nowMs: number },
): Promise<void> {
  await assertSite(trx, siteId);
  if (settings.name !== undefined && (await isNameTaken(trx, siteId, settings.name))) {
    throw relayErrors.make('NAME_TAKEN', { field: '/name' });
  }
  const { requiredServices } = settings;
  const wish = requiredServices ? { ...settings, requiredServices: unique(requiredServices) } : settings;
  await withinConfigRoom(trx, siteId, () => updateSite(trx, siteId, wish));
  await appendAudit(trx, {
    partnerId: tenant.partnerId,
    atMs: nowMs,
    actor: tenant.actor,
    action: 'site.changed',
    ref: siteId,
    detail: Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [name, Array.isArray(value) ? value.join(' ') : value]),
    ) as Record<string, string | number>,
  });
}

/** The signed configuration refuses repetitions. */
const unique = (names: readonly string[]): string[] => [...new Set(names)];
