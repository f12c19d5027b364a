import { relayErrors } from '../errors.ts';
import type { Tenant } from '../lib/identity.ts';
import type { Tx } from '../store/index.ts';
import { activeAdmins, siteIdsOf } from '../store/repositories/people.ts';

const MAX_NAMED = 3;

/**
 * A technician sees and claims at given sites only; other roles reach all of their company's. Asked in the transaction
 * of the claim itself, so a site taken away before its commit does not count. Throws SITE_NOT_GIVEN, which does not tell
 * a site of somebody else from one that does not exist.
 */
export async function assertGiven(trx: Tx, tenant: Tenant, siteId: string): Promise<void> {
  if (tenant.role !== 'technician') return;
  if ((await siteIdsOf(trx, tenant.staffId)).includes(siteId)) return;
  const admins = (await activeAdmins(trx, tenant.partnerId)).slice(0, MAX_NAMED).map(({ name }) => name);
  throw relayErrors.make('SITE_NOT_GIVEN', {
    field: '/siteId',
    detail: admins.length === 0 ? undefined : `Admins who can give it: ${admins.join(', ')}`,
  });
}
