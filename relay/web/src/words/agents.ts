import type { Agent, Check, FleetStatus } from '../api/types.ts';
import { plural } from '../clock/format.ts';
import { CHECK_STATUS } from './checks.ts';
import type { Sign } from './tone.ts';

export const countChecks = (agent: Agent, status: Check['status']): number =>
  agent.checks.filter((check) => check.status === status).length;

/** What its results come to. No result at all is unknown: nobody can call it fine. */
export type ResultState = 'fail' | 'unknown' | 'pass';

export function resultState(agent: Agent): ResultState {
  if (countChecks(agent, 'fail') > 0) return 'fail';
  if (countChecks(agent, 'unknown') > 0 || countChecks(agent, 'pass') === 0) return 'unknown';
  return 'pass';
}

export const RESULT_STATE: Record<ResultState, Sign> = {
  fail: { ...CHECK_STATUS.fail, word: 'A check fails' },
  unknown: { ...CHECK_STATUS.unknown, word: 'Not all is known' },
  pass: { ...CHECK_STATUS.pass, word: 'All checks pass' },
};

/** Smaller stands first: failing, undecided, away, fine, removed. */
function rank(agent: Agent): number {
  if (agent.state === 'removed') return 4;
  const results = resultState(agent);
  if (results !== 'pass') return results === 'fail' ? 0 : 1;
  return agent.status.value === 'online' ? 3 : 2;
}

export const compareAgents = (a: Agent, b: Agent): number => rank(a) - rank(b) || a.hostname.localeCompare(b.hostname);

/** One line about all of them, counted from the rows below it. */
export function fleetWords(agents: readonly Agent[]): string {
  const active = agents.filter((agent) => agent.state === 'active');
  if (active.length === 0) return '';
  const failing = active.filter((agent) => countChecks(agent, 'fail') > 0).length;
  const undecided = active.filter((agent) => countChecks(agent, 'unknown') > 0).length;
  const silent = active.filter((agent) => agent.checks.length === 0).length;
  const away = active.filter((agent) => agent.status.value !== 'online').length;
  const parts = [
    failing > 0 && `${failing} failing`,
    undecided > 0 && `${undecided} with unknown results`,
    silent > 0 && `${silent} without results`,
    away > 0 && `${away} not online`,
  ].filter(Boolean);
  return `${plural(active.length, 'agent')}: ${parts.length === 0 ? 'all fine' : parts.join(', ')}`;
}

export interface FleetSummary {
  total: number;
  /** Results, not workstations. `applicable` leaves out only what does not apply. */
  results: { applicable: number; pass: number; fail: number; unknown: number; ofAway: number };
  /** Workstations without one applicable result. */
  silent: number;
  statuses: Record<FleetStatus['value'], number>;
  /** Of those that reported once and are not online, the one heard least recently. */
  longestAway: Agent | null;
  tiers: [number, number, number];
  /** Workstations that go by another tier than the one wanted. */
  tierWaits: number;
  tools: { yes: number; no: number; unknown: number };
}

/** From the same rows that are listed. */
export function summarize(agents: readonly Agent[]): FleetSummary {
  const summary: FleetSummary = {
    total: agents.length,
    results: { applicable: 0, pass: 0, fail: 0, unknown: 0, ofAway: 0 },
    silent: 0,
    statuses: { online: 0, stale: 0, offline: 0, pending: 0 },
    longestAway: null,
    tiers: [0, 0, 0],
    tierWaits: 0,
    tools: { yes: 0, no: 0, unknown: 0 },
  };
  for (const agent of agents) {
    const [pass, fail, unknown] = (['pass', 'fail', 'unknown'] as const).map((status) =>
      countChecks(agent, status),
    ) as [number, number, number];
    const applicable = pass + fail + unknown;
    summary.results.applicable += applicable;
    summary.results.pass += pass;
    summary.results.fail += fail;
    summary.results.unknown += unknown;
    if (applicable === 0) summary.silent += 1;
    summary.statuses[agent.status.value] += 1;
    summary.tiers[agent.tier] += 1;
    if (agent.wantedTier !== agent.tier) summary.tierWaits += 1;
    summary.tools[toolState(agent)] += 1;
    if (agent.status.value === 'online' || agent.status.ageMs === null) continue;
    summary.results.ofAway += applicable;
    if (agent.status.ageMs > (summary.longestAway?.status.ageMs ?? -1)) summary.longestAway = agent;
  }
  return summary;
}

export type ToolState = 'yes' | 'no' | 'unknown';

/** Whether another management tool was found on it; unknown: nobody has looked. */
export function toolState({ rmm }: Agent): ToolState {
  if (rmm === null) return 'unknown';
  return rmm.findings.length > 0 ? 'yes' : 'no';
}

/** Rounded down: a hundred is for no failing and no unknown result at all. Null: there is nothing to count. */
export function complianceWords({ results: { applicable, pass } }: FleetSummary): string | null {
  if (applicable === 0) return null;
  return pass === applicable ? '100 %' : `${(Math.floor((1000 * pass) / applicable) / 10).toFixed(1)} %`;
}

const SYSTEMS: Record<string, string> = { windows: 'Windows', linux: 'Linux', macos: 'macOS', darwin: 'macOS' };
export const systemWord = (osFamily: string): string => SYSTEMS[osFamily] ?? (osFamily || 'Not named');
