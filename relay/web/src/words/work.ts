import type { ActionRun, ClaimSession, Code, Incident, Order, TimelineItem } from '../api/types.ts';
import type { IconName } from '../icons/paths.ts';
import { orderWords, REPAIRS } from './repairs.ts';
import type { Sign } from './tone.ts';

export const INCIDENT_STATE: Record<Incident['state'], Sign> = {
  open: { tone: 'warn', icon: 'triangle', word: 'Open' },
  healing: { tone: 'info', icon: 'wrench', word: 'Being repaired' },
  needs_person: { tone: 'bad', icon: 'person', word: 'Needs a person' },
  resolved: { tone: 'ok', icon: 'check', word: 'Resolved' },
};

export const RUN_STATE: Record<ActionRun['state'], Sign> = {
  started: { tone: 'info', icon: 'play', word: 'Running' },
  done: { tone: 'info', icon: 'clock', word: 'Done, waits for the re-check' },
  verified: { tone: 'ok', icon: 'check', word: 'Repaired, re-check passed' },
  not_verified: { tone: 'bad', icon: 'cross', word: 'Not repaired, re-check failed' },
  failed: { tone: 'bad', icon: 'cross', word: 'Failed' },
  refused: { tone: 'warn', icon: 'ban', word: 'Refused' },
  indeterminate: { tone: 'unknown', icon: 'question', word: 'Unclear, found started after a restart' },
};

export const ORDER_STATE: Record<Order['state'], Sign> = {
  queued: { tone: 'neutral', icon: 'clock', word: 'Queued' },
  delivered: { tone: 'info', icon: 'box', word: 'On the box' },
  started: { tone: 'info', icon: 'play', word: 'Running' },
  done: { tone: 'ok', icon: 'check', word: 'Done' },
  failed: { tone: 'bad', icon: 'cross', word: 'Failed' },
  refused: { tone: 'warn', icon: 'ban', word: 'Refused' },
  expired: { tone: 'warn', icon: 'clock', word: 'Expired' },
  indeterminate: { tone: 'unknown', icon: 'question', word: 'Unclear' },
};

/** `started`, and its maintenance window has not begun. */
export const WAITS_FOR_WINDOW: Sign = { tone: 'info', icon: 'clock', word: 'Waits for its window' };

/** `incident_opened` reads "Incident opened"; an outcome that only repeats it is left out. */
export function entryWords({ kind, outcome }: { kind: string; outcome: string }): { kind: string; outcome: string } {
  const isSaid = kind.endsWith(`_${outcome}`) || kind.slice(kind.lastIndexOf('_') + 1).startsWith(outcome);
  return {
    kind: kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll('_', ' '),
    outcome: isSaid ? '' : outcome.replaceAll('_', ' '),
  };
}

const OPEN_ORDERS: readonly Order['state'][] = ['queued', 'delivered', 'started'];
export const isOrderOpen = (order: Order): boolean => OPEN_ORDERS.includes(order.state);

const ACTIONS: Record<string, string> = {
  run_check: 'Run check',
  remove_agent: 'Remove agent',
  collect_diagnostics: 'Collect diagnostics',
  update_agent: 'Update agent',
  ...Object.fromEntries(Object.entries(REPAIRS).map(([action, { name }]) => [action, name])),
};
export const actionWords = (action: string): string => ACTIONS[action] ?? action.replaceAll('_', ' ');

/** What was ordered, with its parameters: "Start service front-desk". */
export const orderTitle = (
  order: Pick<Order, 'action' | 'params'>,
  undone?: Pick<Order, 'action' | 'params'>,
): string => orderWords(order, undone) || actionWords(order.action);

export const CODE_STATE: Record<Code['state'], Sign> = {
  created: { tone: 'info', icon: 'key', word: 'Waiting for its box' },
  scanned: { tone: 'info', icon: 'phone', word: 'Scanned' },
  claimed: { tone: 'warn', icon: 'person', word: 'Waits for approval' },
  approved: { tone: 'info', icon: 'box', word: 'Approved' },
  rejected: { tone: 'bad', icon: 'ban', word: 'Rejected' },
  used: { tone: 'ok', icon: 'check', word: 'Used' },
  expired: { tone: 'neutral', icon: 'clock', word: 'Expired' },
  revoked: { tone: 'neutral', icon: 'ban', word: 'Revoked' },
};

/** Still waits for its box, so it can be revoked. */
export const isCodeOpen = ({ state }: Code): boolean => state === 'created' || state === 'scanned';

export const CLAIM_STATE: Record<ClaimSession['state'], Sign> = {
  started: { tone: 'neutral', icon: 'dots', word: 'Shown, nobody claimed' },
  claimed: { tone: 'warn', icon: 'person', word: 'Waits for approval' },
  approved: { tone: 'info', icon: 'clock', word: 'Approved, the box fetches its config' },
  acknowledged: { tone: 'ok', icon: 'check', word: 'Config is on the box' },
  rejected: { tone: 'bad', icon: 'ban', word: 'Rejected' },
  expired: { tone: 'neutral', icon: 'clock', word: 'Expired' },
};

export const TIMELINE_ICON: Record<TimelineItem['kind'], IconName> = {
  claim: 'key',
  incident: 'triangle',
  repair: 'wrench',
  order: 'play',
  evidence: 'shield',
  config: 'gear',
  agent: 'laptop',
  alarm: 'octagon',
};

export const TIERS = [
  { name: 'MONITOR_ONLY', does: 'reports only, repairs nothing' },
  { name: 'SELF_HEAL', does: 'the agent may repair drift on its own workstation' },
  { name: 'FULL_REMEDIATION', does: 'rules may repair everything they cover' },
] as const;
