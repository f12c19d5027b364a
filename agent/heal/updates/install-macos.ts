import type { Argv } from '../host.ts';
import { notPossible, toolFailure } from '../plan.ts';
import type { Way } from '../repair.ts';
import { installedNote, isInstalled, leftMs, notNow, type WindowParams, windowEnded } from './window.ts';

/** As Apple writes them: `Safari17.4MontereyAuto-17.4`, `macOS Sonoma 14.4.1-23E224`. Never an option. */
const LABEL = /^[A-Za-z0-9][A-Za-z0-9 ._()-]{0,127}$/;
const UPDATE_TIMEOUT_MS = 60 * 60_000;

/** Without `--restart` nothing restarts; what needs one stays pending until a person allows it. */
export const installMac: Way<WindowParams & { dry_run?: boolean }> = {
  async plan(before, params, context) {
    const refusal = notNow(before, params, context);
    if (refusal !== undefined) return refusal;
    const { pending_security: pending, sample } = before.facts;
    // The check names security updates first.
    const labels = (Array.isArray(sample) ? sample : []).slice(0, Number(pending)).filter((label) => LABEL.test(label));
    if (labels.length === 0) return notPossible('softwareupdate does not name the updates. Install them by hand.');
    const { host, signal } = context;
    return {
      steps: labels.map((label, done) => {
        const argv: Argv = ['/usr/sbin/softwareupdate', '--install', label];
        return {
          words: argv.join(' '),
          async run() {
            if (leftMs(params, context.nowMs()) === 0) throw windowEnded(done, labels.length);
            const result = await host.run(argv, { timeoutMs: UPDATE_TIMEOUT_MS });
            signal.throwIfAborted();
            if (!result.ok) throw toolFailure(argv, 'macOS', result);
          },
        };
      }),
      isDone: isInstalled,
      note: installedNote,
      doubt: 'Some updates are still waiting. Those that need a restart are installed by it, with a person present.',
    };
  },
};
