import type { Facts } from '@sitewarden/agent-proto/agent';
import type { SiteConfig } from '../site/index.ts';
import type { Action, Refusal } from './actions/index.ts';

export interface OrderRequest {
  readonly action: string;
  readonly params: Facts;
  /** On the appliance's clock. */
  readonly expiresAtMs: number;
}

export interface Circumstances {
  /** On the appliance's clock, as far as it is known. */
  readonly nowMs: number;
  readonly site: SiteConfig;
  readonly actions: readonly Action[];
}

export type Decision = { readonly action: Action } | { readonly refusal: Refusal };

/** Pure. An order without an end is refused as expired: it could be a replay of any age. */
export function decideOrder(order: OrderRequest, { nowMs, site, actions }: Circumstances): Decision {
  const action = actions.find(({ name }) => name === order.action);
  if (action === undefined) return { refusal: { code: 'ACTION_UNKNOWN' } };
  if (order.expiresAtMs <= nowMs) return { refusal: { code: 'ORDER_EXPIRED' } };
  if (site.tier < action.minTier) return { refusal: { code: 'TIER_TOO_LOW' } };
  const refusal = action.refuse(order.params, site);
  return refusal === undefined ? { action } : { refusal };
}
