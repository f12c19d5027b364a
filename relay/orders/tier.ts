import { minTierOf, TIERS, type TierNumber } from '@sitewarden/agent-proto/checks';
import { relayErrors } from '../errors.ts';
import type { Tx } from '../store/index.ts';
import { tiersOf } from '../tiers/index.ts';

const SET_BY = { agent: 'its own setting', group: 'the tier of its group', site: 'the tier of the site' } as const;

/**
 * What staff set counts, and what the box goes by: it and the agent would refuse the order. Throws ORDER_TIER_TOO_LOW and
 * ORDER_TIER_NOT_YET, both with `data` {action, needed, effective, tierFrom}.
 */
export async function assertTier(
  trx: Tx,
  wish: { siteId: string; agentId: string; boxTier: TierNumber; action: string; undone: string | undefined },
): Promise<void> {
  const { siteId, agentId, boxTier, action, undone } = wish;
  const needed = Math.max(minTierOf(action), undone === undefined ? 0 : minTierOf(undone)) as TierNumber;
  const [setting] = await tiersOf(trx, siteId, [agentId]);
  if (setting === undefined) throw relayErrors.make('NOT_FOUND');
  const { wantedTier, tierFrom } = setting;
  const what = undone === undefined ? action : `${action} of ${undone}`;
  const data = { action, needed: TIERS[needed], tierFrom };
  if (wantedTier < needed) {
    throw relayErrors.make('ORDER_TIER_TOO_LOW', {
      field: '/action',
      detail: `${what} needs ${TIERS[needed]}; this workstation is on ${TIERS[wantedTier]} by ${SET_BY[tierFrom]}`,
      data: { ...data, effective: TIERS[wantedTier] },
    });
  }
  if (boxTier < needed) {
    throw relayErrors.make('ORDER_TIER_NOT_YET', {
      field: '/action',
      detail: `${what} needs ${TIERS[needed]}; it is set, and the box still goes by ${TIERS[boxTier]}`,
      data: { ...data, effective: TIERS[boxTier] },
    });
  }
}
