import type { Argv } from '../host.ts';
import { notPossible, toolStep } from '../plan.ts';
import type { Way } from '../repair.ts';

/** A slow line and a dozen archives. */
const TIMEOUT_MS = 10 * 60_000;

const SCANS: Readonly<Record<string, { readonly argv: Argv; readonly packageName: string }>> = {
  // Without the option apt ends well although an archive did not answer.
  apt: { argv: ['apt-get', '-q', '-o', 'APT::Update::Error-Mode=any', 'update'], packageName: 'apt' },
  dnf: { argv: ['dnf', '-q', 'makecache', '--refresh'], packageName: 'dnf' },
};

export const scanLinux: Way<unknown> = {
  async plan(before, _params, { host, signal }) {
    // A check that could not count for want of lists still knows whose lists they are.
    const scan = SCANS[String(before.facts.manager)];
    if (scan === undefined) return notPossible(before.reason);
    return {
      steps: [toolStep(scan.argv, { host, signal, packageName: scan.packageName, timeoutMs: TIMEOUT_MS })],
      isDone: ({ facts }) => facts.probe_error === undefined && typeof facts.pending_security === 'number',
      note: ({ facts }) => `${facts.pending_security} security update(s) wait.`,
    };
  },
};
