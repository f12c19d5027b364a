import { type AgentErrorCode, agentErrors } from '../../errors.ts';
import { defineAction } from '../define-action.ts';
import type { Refusal } from './types.ts';

/** Nothing was changed, and nothing was tried that might have. */
const REFUSALS: ReadonlySet<string> = new Set<AgentErrorCode>([
  'UPDATE_NOT_POSSIBLE',
  'UPDATE_NO_INSTALLER',
  'UPDATE_NOT_SIGNED',
  'UPDATE_VERSION_MISSING',
  'UPDATE_SAME_VERSION',
  'UPDATE_NOT_NEWER',
  'UPDATE_NO_ROOM',
]);

/** Puts a newer agent of the same publisher in the place of this one. Its end is told by the program that runs then. */
export const updateAgent = defineAction({
  name: 'update_agent',
  async run({ version, dry_run: isDryRun = false }, { orderId, updater, signal }) {
    const before = { agent_version: updater.version };
    try {
      const { to, isInPlace } = await updater.update({ orderId, version, isDryRun, signal });
      if (isInPlace) return { before, after: {}, isHandedOver: true };
      const note = `Dry run, nothing was changed. It would replace ${updater.version} by ${to}.`;
      return { before, after: before, note };
    } catch (error) {
      if (signal.aborted || !agentErrors.is(error)) throw error;
      const { code, message: detail } = error;
      if (REFUSALS.has(code)) return { refusal: refusalOf(code as AgentErrorCode, detail), before, after: {} };
      return { before, after: before, failure: { code, detail } };
    }
  },
});

/** The sentence of the code is put behind the detail again by the receipt. */
function refusalOf(code: AgentErrorCode, text: string): Refusal {
  return { code, detail: text.slice(0, -agentErrors.make(code).message.length).trim() };
}
