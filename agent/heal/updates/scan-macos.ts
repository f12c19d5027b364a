import { stateUnknown } from '../plan.ts';
import type { Way } from '../repair.ts';

/** The check itself asks Apple's servers each time. */
export const scanMac: Way<unknown> = {
  async plan(before) {
    const { pending_security: pending } = before.facts;
    return typeof pending === 'number'
      ? { nothing: `the list was made just now, and ${pending} security update(s) wait.` }
      : stateUnknown(before);
  },
};
