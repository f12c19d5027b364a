import { notPossible, stateUnknown, toolStep } from '../plan.ts';
import { defineRepair, type Way } from '../repair.ts';
import type { Sight } from './types.ts';

const DRIVE = /^[A-Z]:$/;
const TIMEOUT_MS = 60_000;

const way: Way<unknown> = {
  async plan(before, _params, { host, signal }) {
    const suspended = unprotected(before);
    if (suspended === undefined) return stateUnknown(before);
    if (suspended.length === 0) {
      return before.facts.probe_error === undefined
        ? { nothing: 'no encrypted volume has its protection suspended.' }
        : stateUnknown(before);
    }
    const drives = suspended.filter((name) => DRIVE.test(name));
    if (drives.length === 0) return notPossible('The volume has no drive letter. Resume it in an elevated console.');
    const [program, ...first] = host.tools.manageBde;
    return {
      steps: drives.map((drive) =>
        toolStep([program, ...first, '-protectors', '-enable', drive], {
          host,
          signal,
          packageName: 'BitLocker',
          timeoutMs: TIMEOUT_MS,
          encoding: 'detect',
          input: '',
        }),
      ),
      isDone: (after) => unprotected(after)?.every((name) => !drives.includes(name)) === true,
      doubt: 'Protection stays off. A volume without a key protector needs one first: add it with manage-bde.',
    };
  },
};

function unprotected({ facts }: Sight): readonly string[] | undefined {
  const names = facts.unprotected_volumes;
  return Array.isArray(names) ? names : undefined;
}

/** Resumes the protection of encrypted volumes whose key lies in the clear. Encrypts nothing, adds no key. */
export const bitlockerResume = defineRepair({
  name: 'bitlocker_resume',
  ways: { win32: way },
  elsewhere: 'Only BitLocker can be suspended and resumed. Look at the encryption of this workstation by hand.',
});
