import type { ActionContext } from '../actions/types.ts';
import { type Step, stateUnknown, toolStep } from '../plan.ts';
import type { Way } from '../repair.ts';

const SOCKETFILTERFW = '/usr/libexec/ApplicationFirewall/socketfilterfw';

/** The application firewall. It knows no dry rules: on or off is all there is to put back. */
export const firewallMac: Way<unknown> = {
  async plan(before, _params, context) {
    const { active, probe_error } = before.facts;
    if (active === true) return { nothing: 'the application firewall is on.' };
    if (probe_error !== undefined || active !== false) return stateUnknown(before);
    return {
      steps: [turn('on', context)],
      keep: { way: 'alf' },
      isDone: ({ facts }) => facts.active === true,
      doubt: 'The firewall stays off where a configuration profile turns it off. Change that profile.',
    };
  },
  async undo(_kept, before, context) {
    if (before.facts.active === false) return { nothing: 'the application firewall is off already.' };
    return { steps: [turn('off', context)], isDone: ({ facts }) => facts.active === false };
  },
};

function turn(state: 'on' | 'off', { host, signal }: ActionContext): Step {
  return toolStep([SOCKETFILTERFW, '--setglobalstate', state], { host, signal, packageName: 'macOS' });
}
