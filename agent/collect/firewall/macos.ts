import type { Facts } from '@sitewarden/agent-proto/agent';
import { askTool } from '../ask-tool.ts';
import { toolProblem } from '../tool-problem.ts';
import type { CollectContext, Observation } from '../types.ts';

const SOCKETFILTERFW = '/usr/libexec/ApplicationFirewall/socketfilterfw';
/** Until macOS 14; gone from 15. */
const ALF = '/Library/Preferences/com.apple.alf';

export async function collectFirewallMac({ signal }: CollectContext): Promise<Observation[]> {
  const state = await askTool([SOCKETFILTERFW, '--getglobalstate'], { signal });
  const stealth = await askTool([SOCKETFILTERFW, '--getstealthmode'], { signal });
  let level = state.ok ? parseGlobalState(state.stdout) : undefined;
  if (level === undefined) {
    const alf = await askTool(['/usr/bin/defaults', 'read', ALF, 'globalstate'], { signal });
    level = alf.ok ? parseGlobalState(alf.stdout) : undefined;
  }
  if (level === undefined) {
    return [{ subject: '', facts: { probe_error: toolProblem('socketfilterfw', 'macOS', state) } }];
  }
  return [{ subject: '', facts: alfFacts(level, stealth.ok ? stealth.stdout : '') }];
}

/** 0 off, 1 on for programs, 2 everything blocked: `(State = 1)` of socketfilterfw, or the bare number of defaults. */
export function parseGlobalState(text: string): 0 | 1 | 2 | undefined {
  const digit = /\(State = ([0-2])\)/.exec(text)?.[1] ?? /^\s*([0-2])\s*$/.exec(text)?.[1];
  return digit === undefined ? undefined : (Number(digit) as 0 | 1 | 2);
}

export function alfFacts(level: 0 | 1 | 2, stealth: string): Facts {
  const facts: Facts = {
    technology: 'alf',
    active: level > 0,
    input_policy: level === 2 ? 'drop' : level === 1 ? 'by_program' : 'none',
  };
  const isStealth = /\b(?:on|enabled)\b/i.test(stealth)
    ? true
    : /\b(?:off|disabled)\b/i.test(stealth)
      ? false
      : undefined;
  return isStealth === undefined ? facts : { ...facts, stealth: isStealth };
}
