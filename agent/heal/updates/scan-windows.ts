import { agentErrors } from '../../errors.ts';
import { rowInteger } from '../../windows/index.ts';
import type { Way } from '../repair.ts';
import { changeByPowershell } from '../windows-change.ts';

const TIMEOUT_MS = 10 * 60_000;
/** Succeeded, and succeeded with errors. */
const SUCCEEDED = [2, 3];

export const scanWindows: Way<unknown> = {
  async plan(_before, _params, context) {
    const run = async () => {
      const row = await changeByPowershell('search_updates', context, { timeoutMs: TIMEOUT_MS });
      if (SUCCEEDED.includes(rowInteger(row, 'ResultCode') ?? -1)) return;
      const detail = 'Windows Update did not finish its search. Check that it reaches its server';
      throw agentErrors.make('TOOL_FAILED', { detail });
    };
    return {
      steps: [{ words: 'search for updates with the Windows Update agent', run }],
      isDone: ({ facts }) => facts.probe_error === undefined && typeof facts.pending_security === 'number',
      note: ({ facts }) => `${facts.pending_security} security update(s) wait.`,
    };
  },
};
