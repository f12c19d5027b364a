import type { Agent, Check } from '../../../api/types.ts';
import { plural } from '../../../clock/format.ts';

export const countChecks = (agent: Agent, status: Check['status']): number =>
  agent.checks.filter((check) => check.status === status).length;

/** Smaller stands first: failing, undecided, away, fine, removed. */
function rank(agent: Agent): number {
  if (agent.state === 'removed') return 4;
  if (countChecks(agent, 'fail') > 0) return 0;
  if (countChecks(agent, 'unknown') > 0) return 1;
  return agent.status.value === 'online' ? 3 : 2;
}

export const compareAgents = (a: Agent, b: Agent): number => rank(a) - rank(b) || a.hostname.localeCompare(b.hostname);

/** One line about all of them, counted from the rows below it. */
export function fleetWords(agents: readonly Agent[]): string {
  const active = agents.filter((agent) => agent.state === 'active');
  if (active.length === 0) return '';
  const failing = active.filter((agent) => countChecks(agent, 'fail') > 0).length;
  const undecided = active.filter((agent) => countChecks(agent, 'unknown') > 0).length;
  const away = active.filter((agent) => agent.status.value !== 'online').length;
  const parts = [
    failing > 0 && `${failing} failing`,
    undecided > 0 && `${undecided} with unknown results`,
    away > 0 && `${away} not online`,
  ].filter(Boolean);
  return `${plural(active.length, 'agent')}: ${parts.length === 0 ? 'all fine' : parts.join(', ')}`;
}
