import { AGENT_ACTIONS, onlyDiagnostics } from '@sitewarden/agent-proto/checks';
import type { Action } from './types.ts';

/** How the agent itself is, in the closed set of DIAGNOSTICS. Takes no parameters, changes nothing. */
export const collectDiagnostics: Action = {
  name: 'collect_diagnostics',
  minTier: AGENT_ACTIONS.collect_diagnostics.minTier,
  refuse: (params) =>
    Object.keys(params).length === 0
      ? undefined
      : { code: 'ORDER_PARAMS_INVALID', detail: 'collect_diagnostics takes no parameters' },
  run: async (_params, { diagnose }) => ({ before: {}, after: onlyDiagnostics(diagnose()) }),
};
