import { rowFlag, rowInteger } from '../../windows/index.ts';
import type { Way } from '../repair.ts';
import { changeByPowershell } from '../windows-change.ts';
import { installedNote, isInstalled, leftMs, notNow, restartWords, type WindowParams, windowEnded } from './window.ts';

/** The script itself stops between two updates at the end of the window; the last one may take this much longer. */
const LAST_UPDATE_MS = 30 * 60_000;

export const installWindows: Way<WindowParams & { dry_run?: boolean }> = {
  async plan(before, params, context) {
    const refusal = notNow(before, params, context);
    if (refusal !== undefined) return refusal;
    const count = Number(before.facts.pending_security);
    let mustRestart = false;
    const run = async () => {
      const left = leftMs(params, context.nowMs());
      if (left === 0) throw windowEnded(0, count);
      const seconds = Math.floor(left / 1000);
      const row = await changeByPowershell('install_updates', context, {
        params: { seconds },
        timeoutMs: left + LAST_UPDATE_MS,
      });
      mustRestart = rowFlag(row, 'Reboot') === true;
      if (rowFlag(row, 'Late') === true) throw windowEnded(rowInteger(row, 'Installed') ?? 0, count);
    };
    return {
      steps: [{ words: `install ${count} security update(s) one by one, while the window lasts`, run }],
      // What waits for the restart is still listed as not installed until then.
      isDone: (after) => isInstalled(after) || (mustRestart && after.facts.reboot_required === true),
      note: (after) => (isInstalled(after) ? installedNote(after) : `They are installed.${restartWords(after)}`),
      doubt: 'Some security updates are still waiting. Look at the history of Windows Update.',
    };
  },
};
