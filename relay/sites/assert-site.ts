import { relayErrors } from '../errors.ts';
import type { Tx } from '../store/index.ts';
import { hasSite } from '../store/repositories/sites.ts';

/** Throws NOT_FOUND for a site this tenant does not have, whoever else may have it. */
export async function assertSite(trx: Tx, siteId: string): Promise<void> {
  if (!(await hasSite(trx, siteId))) throw relayErrors.make('NOT_FOUND');
}
