import { notPossible } from '../plan.ts';
import type { Way } from '../repair.ts';
import { planApt } from './apt.ts';
import { planDnf } from './dnf.ts';
import { notNow, type WindowParams } from './window.ts';

export const installLinux: Way<WindowParams & { dry_run?: boolean }> = {
  async plan(before, params, context) {
    const refusal = notNow(before, params, context);
    if (refusal !== undefined) return refusal;
    if (before.facts.manager === 'apt') return planApt(before, params, context);
    if (before.facts.manager === 'dnf') return planDnf(before, params, context);
    return notPossible('The agent installs with apt and dnf only. Install by hand.');
  },
};
