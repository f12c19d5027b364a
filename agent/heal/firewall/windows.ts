import type { Sight } from '../actions/types.ts';
import { refused, type Step, stateUnknown, toolStep } from '../plan.ts';
import type { Way } from '../repair.ts';

const SERVICE = 'mpssvc';
/** As the check names them, and netsh in every language of Windows. */
const PROFILES = ['domain', 'private', 'public'] as const;

/** All profiles that are off, each for itself, so that undo puts back those and no others. */
export const firewallWindows: Way<unknown> = {
  async plan(before, _params, { host, services, signal }) {
    const { facts, status } = before;
    if (facts.technology === 'third_party') {
      return refused('RULED_ELSEWHERE', 'Another firewall has taken the place of Windows Firewall.');
    }
    const off = profilesIn(facts.profiles_off);
    if (off.length === 0) {
      if (facts.probe_error !== undefined) return stateUnknown(before);
      if (status === 'pass') return { nothing: 'Windows Firewall is on in all profiles.' };
      return refused('RULED_ELSEWHERE', `Windows Firewall is on, and its rules let too much in. ${before.reason}`);
    }
    const service = await services.status(SERVICE, { signal });
    const start: Step = { words: `start the service ${SERVICE}`, run: () => services.start(SERVICE, { signal }) };
    return {
      steps: [...(service.state === 'running' ? [] : [start]), ...off.map((profile) => turn(profile, 'on'))],
      keep: { way: 'netsh', profiles: off },
      isDone: (after) => profilesIn(after.facts.profiles_off).length === 0 && after.facts.active === true,
      doubt: 'Windows Firewall stays off where a group policy turns it off. Change that policy.',
    };
    function turn(profile: string, state: 'on' | 'off'): Step {
      return netsh(profile, state, { host, signal });
    }
  },
  async undo(kept, _before, { host, signal }) {
    const profiles = profilesIn(kept.profiles);
    if (profiles.length === 0) return { refusal: { code: 'UNDO_UNKNOWN' } };
    return {
      steps: profiles.map((profile) => netsh(profile, 'off', { host, signal })),
      isDone: (after: Sight) => {
        const off = profilesIn(after.facts.profiles_off);
        return profiles.every((profile) => off.includes(profile));
      },
    };
  },
};

function netsh(
  profile: string,
  state: 'on' | 'off',
  { host, signal }: Pick<Parameters<typeof toolStep>[1], 'host' | 'signal'> & { signal: AbortSignal },
): Step {
  const argv = [...host.tools.netsh, 'advfirewall', 'set', `${profile}profile`, 'state', state] as const;
  return toolStep([argv[0]!, ...argv.slice(1)], {
    host,
    signal,
    packageName: 'Windows',
    encoding: 'detect',
    input: '',
  });
}

function profilesIn(value: unknown): string[] {
  return Array.isArray(value) ? PROFILES.filter((profile) => value.includes(profile)) : [];
}
