import type { ActionContext, Sight } from '../actions/types.ts';
import type { Argv } from '../host.ts';
import { type Plan, runOrThrow } from '../plan.ts';
import { installedNote, isInstalled, leftMs, type WindowParams, windowEnded } from './window.ts';

const UPGRADE: Argv = ['dnf', '-y', '-q', 'upgrade', '--security'];
/** The transaction of rpm is one: it is begun only while it has this long, and not cut before an hour. */
const LEAST_LEFT_MS = 10 * 60_000;
const TRANSACTION_TIMEOUT_MS = 60 * 60_000;

export async function planDnf(before: Sight, params: WindowParams, context: ActionContext): Promise<Plan> {
  const { host, signal } = context;
  const count = Number(before.facts.pending_security);
  const download: Argv = [...UPGRADE, '--downloadonly'];
  const settings = { host, packageName: 'dnf', maxBytes: 4 * 1024 * 1024 };
  return {
    steps: [
      {
        words: download.join(' '),
        async run() {
          const timeoutMs = leftMs(params, context.nowMs());
          if (timeoutMs === 0) throw windowEnded(0, count);
          const result = await host.run(download, { ...settings, signal, timeoutMs });
          if (result.timedOut) throw windowEnded(0, count);
        },
      },
      {
        words: UPGRADE.join(' '),
        async run() {
          if (leftMs(params, context.nowMs()) < LEAST_LEFT_MS) throw windowEnded(0, count);
          signal.throwIfAborted();
          await runOrThrow(UPGRADE, { ...settings, timeoutMs: TRANSACTION_TIMEOUT_MS });
        },
      },
    ],
    isDone: isInstalled,
    note: installedNote,
    doubt: 'Some security updates are still waiting. Look at /var/log/dnf.log.',
  };
}
