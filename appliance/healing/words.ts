import type { Facts } from '@sitewarden/agent-proto/agent';
import type { TierName } from '@sitewarden/agent-proto/checks';
import { isPlainName } from '@sitewarden/agent-proto/evidence';
import { hostWord } from '../lib/incident-words.ts';
import type { ActionName, Rule } from '../rules/index.ts';
import type { Because, Decision } from './plan.ts';

/** "restart cron": what an action does, as a person would order it. Complete by type. */
const DEEDS: Record<ActionName, (params: Facts) => string> = {
  restart_service: (params) => `restart ${serviceOf(params)}`,
  start_service: (params) => `start ${serviceOf(params)}`,
  firewall_on: () => 'turn on the firewall',
  defender_start: () => 'start the anti-malware engine',
  signatures_update: () => 'update the anti-malware signatures',
  screenlock_policy: ({ idle_seconds: seconds }) =>
    `set the screen lock${typeof seconds === 'number' ? ` to ${span(seconds * 1000)}` : ''}`,
  security_updates_scan: () => 'look for security updates',
  bitlocker_resume: () => 'resume the protection of the encrypted disks',
};

const serviceOf = ({ service }: Facts): string =>
  typeof service === 'string' && isPlainName(service) ? service : 'the service';

export interface Wording {
  readonly host: string;
  readonly rule: Rule;
  readonly params: Facts;
  /** What a person can do without Sitewarden, from the check itself. */
  readonly byHand: string;
  /** The box obeys no tier. */
  readonly tier: TierName | undefined;
}

export const deed = (action: ActionName, params: Facts): string => DEEDS[action](params);

/** The next step of an incident after a decision: what Sitewarden does, or what a person should. */
export function nextStepFor(decision: Decision, { host: hostname, rule, params, byHand, tier }: Wording): string {
  const host = hostWord(hostname);
  const what = deed(rule.action, params);
  switch (decision.kind) {
    case 'run':
      return `Nothing to do yet: Sitewarden is about to ${what} on ${host} and will check it afterwards.`;
    case 'wait':
      return waitText(decision, { what, host, rule });
    case 'refuse':
      return refuseText(decision.code, { what, host, byHand, tier });
    case 'call_person':
      return decision.code === 'ATTEMPTS_EXHAUSTED'
        ? `Look at ${host} yourself: Sitewarden ${attemptsText(decision.because, what, rule)} and stops here. ${byHand}`
        : `Look at ${host} yourself: Sitewarden may not ${what} there. ${byHand}`;
  }
}

function attemptsText({ runs, isOwn }: Because, what: string, rule: Rule): string {
  const made = `made ${count(runs.length, 'repair')} there within ${span(rule.attempts.withinMs)} (${deeds(runs, rule)})`;
  return isOwn ? made : `did not try to ${what}: it ${made}`;
}

/** "restart cron twice, restart sshd". */
function deeds(runs: readonly Facts[], rule: Rule): string {
  const counts = new Map<string, number>();
  for (const params of runs) {
    const one = deed(rule.action, params);
    counts.set(one, (counts.get(one) ?? 0) + 1);
  }
  const times = (n: number) => (n === 1 ? '' : n === 2 ? ' twice' : ` ${n} times`);
  return [...counts].map(([one, n]) => one + times(n)).join(', ');
}

type Wait = Extract<Decision, { kind: 'wait' }>;

function waitText(decision: Wait, { what, host, rule }: { what: string; host: string; rule: Rule }): string {
  switch (decision.reason) {
    case 'RUNNING':
      return `Nothing to do yet: Sitewarden checks whether it helped to ${what} on ${host}.`;
    case 'HOLD':
      return `Nothing to do yet: if this lasts for ${span(rule.holdForMs)}, Sitewarden will ${what} on ${host}.`;
    case 'COOLDOWN':
      return decision.because.isOwn
        ? `Nothing to do yet: Sitewarden will ${what} on ${host} again once ${span(rule.cooldown.ms)} have passed since the last repair there, not before ${utcTime(decision.untilMs)}.`
        : `Nothing to do yet: Sitewarden has not tried to ${what} on ${host}, because it did ${deeds(decision.because.runs, rule)} there less than ${span(rule.cooldown.ms)} ago. It will, not before ${utcTime(decision.untilMs)}, unless more repairs are needed there first.`;
    case 'RESULT_OLD':
      return `Nothing to do yet: the result is old, so Sitewarden checks ${host} again before it acts.`;
  }
}

type RefuseCode = Extract<Decision, { kind: 'refuse' }>['code'];

interface RefuseWording extends Pick<Wording, 'host' | 'byHand' | 'tier'> {
  readonly what: string;
}

function refuseText(code: RefuseCode, { what, host, byHand, tier }: RefuseWording): string {
  switch (code) {
    case 'NO_RULE':
    case 'ATTEMPTS_EXHAUSTED':
      return byHand;
    case 'TIER_TOO_LOW':
      return `${byHand} Sitewarden itself changes nothing on ${host}, which is set to ${tier}; on a higher tier it would ${what}.`;
    case 'AGENT_AWAY':
      return `${byHand} The agent on ${host} is not connected; as soon as it is, Sitewarden will ${what}.`;
  }
}

/** "14:05 UTC", as late as it can be read: never before the time itself. */
const utcTime = (atMs: number): string =>
  `${new Date(Math.ceil(atMs / 60_000) * 60_000).toISOString().slice(11, 16)} UTC`;

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

function span(ms: number): string {
  if (ms % 3_600_000 === 0 && ms > 3_600_000) return count(ms / 3_600_000, 'hour');
  return ms % 60_000 === 0 && ms > 0 ? count(ms / 60_000, 'minute') : count(Math.round(ms / 1000), 'second');
}
