import type { Facts } from '@sitewarden/agent-proto/agent';
import { AGENT_ACTIONS } from '@sitewarden/agent-proto/checks';
import type { Action } from './types.ts';

const MAX_CHECKS = 16;

/** Looks now. `params.checks`, a list of check names, narrows it; left out: every check of the site. Changes nothing. */
export const runCheck: Action = {
  name: 'run_check',
  minTier: AGENT_ACTIONS.run_check.minTier,
  refuse(params) {
    const { checks } = params;
    if (checks === undefined) return undefined;
    const isFine = Array.isArray(checks) && checks.length <= MAX_CHECKS && checks.every((name) => name !== '');
    return isFine
      ? undefined
      : { code: 'ORDER_PARAMS_INVALID', detail: `checks is a list of up to ${MAX_CHECKS} names` };
  },
  async run(params, { orderId, site, runChecks, signal }) {
    const asked = Array.isArray(params.checks) && params.checks.length > 0 ? params.checks : site.checks;
    const { reports, statuses } = await runChecks({ checks: asked, orderId, signal });
    const after: Facts = { reports, ...statuses };
    return { before: {}, after };
  },
};
