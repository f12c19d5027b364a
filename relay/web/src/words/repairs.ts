import type { Agent, Check, Order, OrderRequest, Tier } from '../api/types.ts';
import { formatDuration, formatExact } from '../clock/format.ts';
import { checkTitle } from './checks.ts';

/** What an order can change on a workstation. */
export type RepairAction = Exclude<
  OrderRequest['action'],
  'run_check' | 'remove_agent' | 'collect_diagnostics' | 'update_agent'
>;
export type Params = Readonly<Record<string, unknown>>;

export interface Repair {
  /** As the button and the lists say it. */
  readonly name: string;
  /** The check that sees the fault; null: that of the order it undoes. */
  readonly check: Check['check'] | null;
  readonly minTier: Tier;
  /** Besides dry_run, which each takes. */
  readonly params: readonly string[];
  readonly canUndo: boolean;
  /** What it changes, for somebody who is about to say yes. */
  readonly changes: string;
  /** Systems on which the agent refuses it, and why. */
  readonly notOn?: Readonly<Record<string, string>>;
}

/** The least tier for a new version of the agent, which mends nothing and so is no repair. */
export const UPDATE_TIER: Tier = 1;

/** Held equal to AGENT_ACTIONS and ACTION_PARAMS of the contract by a test. */
export const REPAIRS: Record<RepairAction, Repair> = {
  start_service: {
    ...{ name: 'Start service', check: 'services', minTier: 1, params: ['service'], canUndo: true },
    changes: 'It starts the service if it is stopped. Undo stops it again.',
  },
  restart_service: {
    ...{ name: 'Restart service', check: 'services', minTier: 1, params: ['service'], canUndo: false },
    changes: 'It stops the service and starts it again: whoever uses it is cut off for a moment. There is no way back.',
  },
  defender_start: {
    ...{ name: 'Start anti-malware', check: 'defender', minTier: 1, params: [], canUndo: false },
    changes: 'It starts the installed engine and its real-time protection. There is no way back from here.',
    notOn: { macos: 'macOS starts its anti-malware itself.' },
  },
  signatures_update: {
    ...{ name: 'Update signatures', check: 'defender', minTier: 1, params: [], canUndo: false },
    changes: 'It fetches the newest signatures of the anti-malware engine. There is no way back.',
  },
  security_updates_scan: {
    ...{ name: 'Look for updates', check: 'patches', minTier: 1, params: [], canUndo: false },
    changes: 'It asks the update source what there is, and installs nothing.',
  },
  security_updates_install: {
    ...{ name: 'Install security updates', check: 'patches', minTier: 2, canUndo: false },
    params: ['window_start_ms', 'window_end_ms'],
    changes:
      'It installs security updates within the window, one by one; one that was begun is finished. It restarts nothing, and says when a restart is pending. There is no way back.',
  },
  firewall_on: {
    ...{ name: 'Turn on firewall', check: 'firewall', minTier: 2, params: [], canUndo: true },
    changes:
      'It turns the firewall on where it is off: connections that no rule lets in are cut. Undo turns it off where it was off.',
  },
  screenlock_policy: {
    ...{ name: 'Set screen lock', check: 'screenlock', minTier: 2, params: ['idle_seconds'], canUndo: true },
    changes:
      'It sets after how long every screen of the machine locks, for everybody, from the next log-in on. Undo puts the former values back.',
    notOn: { macos: 'On macOS a configuration profile sets the lock.' },
  },
  bitlocker_resume: {
    ...{ name: 'Resume disk encryption', check: 'bitlocker', minTier: 2, params: [], canUndo: false },
    changes:
      'It resumes suspended protection. After a firmware update the machine may ask for the recovery key at its next start: have it at hand. There is no way back from here.',
    notOn: {
      linux: 'Only BitLocker of Windows can be resumed.',
      macos: 'Only BitLocker of Windows can be resumed.',
    },
  },
  undo: {
    ...{ name: 'Undo', check: null, minTier: 1, params: ['order_id'], canUndo: false },
    changes: 'It puts back what that order changed.',
  },
};

/** All but undo, which is for an order and not for a check. */
export const ORDERABLE = (Object.keys(REPAIRS) as RepairAction[]).filter((action) => action !== 'undo');

export const isRepair = (action: string): action is RepairAction => Object.hasOwn(REPAIRS, action);

/** Limits of the parameters, as the relay has them; a test holds them equal. */
export const IDLE_SECONDS = { min: 60, max: 900 } as const;
export const SERVICE_NAME = /^[A-Za-z0-9@._][A-Za-z0-9@._-]{0,63}$/;
export const MAX_WINDOW_MS = 24 * 3_600_000;
export const MAX_WINDOW_AHEAD_MS = 7 * 24 * 3_600_000;

/** What mends this result, the likeliest first; nothing for a result that does not fail. */
export function repairsFor({ check, status, facts }: Check): RepairAction[] {
  if (status !== 'fail') return [];
  const all = ORDERABLE.filter((action) => REPAIRS[action].check === check);
  const best = LIKELIEST[check]?.(facts);
  return best === undefined ? all : [best, ...all.filter((action) => action !== best)];
}

const LIKELIEST: Partial<Record<Check['check'], (facts: Check['facts']) => RepairAction>> = {
  services: () => 'start_service',
  defender: (facts) =>
    facts.engine_running !== false && facts.realtime !== false ? 'signatures_update' : 'defender_start',
  patches: (facts) => (facts.pending_security === 0 ? 'security_updates_scan' : 'security_updates_install'),
};

/** Why it cannot be done on this system; undefined: as far as anybody here knows, it can. */
export const unfitFor = (action: RepairAction, { osFamily }: Pick<Agent, 'osFamily'>): string | undefined =>
  REPAIRS[action].notOn?.[osFamily];

/** "front-desk", "after 300 s", "from … for 4 h": empty for what has no parameters. */
export function paramsWords(params: Params): string {
  const { service, idle_seconds: idle, window_start_ms: startMs, window_end_ms: endMs } = params;
  if (typeof service === 'string') return service;
  if (typeof idle === 'number') return `after ${idle} s`;
  if (typeof startMs === 'number' && typeof endMs === 'number')
    return `from ${formatExact(startMs)} for ${formatDuration(endMs - startMs)}`;
  return '';
}

/** "Start service front-desk": of an undo the one it puts back, where that is known. */
export function orderWords(
  { action, params }: Pick<Order, 'action' | 'params'>,
  undone?: Pick<Order, 'action' | 'params'>,
): string {
  if (!isRepair(action)) return '';
  if (action === 'undo') return undone ? `Undo: ${orderWords(undone)}` : REPAIRS.undo.name;
  return `${REPAIRS[action].name} ${paramsWords(params)}`.trim();
}

/** The installation was taken and its window has not begun. */
export function waitsForWindow({ state, dryRun, params }: Order, nowMs: number): boolean {
  const { window_start_ms: startMs } = params;
  return state === 'started' && !dryRun && typeof startMs === 'number' && nowMs < startMs;
}

/** What comes next, or what to do; in whole sentences. */
export function nextStepWords(order: Order, nowMs: number): string {
  const { action, state, dryRun, params } = order;
  if (!isRepair(action)) return '';
  if (waitsForWindow(order, nowMs)) {
    return `The box keeps it until its window begins, ${formatExact(params.window_start_ms as number)}, on its own clock.`;
  }
  if (state === 'done' && dryRun) return 'Nothing was changed. If that is what you want, do it.';
  // By then the box has looked, and the check itself says how it is.
  if (state === 'done' && nowMs - order.changedAtMs > LOOKED_MS) return '';
  if (state === 'done' && action !== 'undo') {
    return `The box looks again at once: ${checkTitle(REPAIRS[action].check ?? '')} turns green by that look, not by the word of the repair.`;
  }
  return NEXT[state];
}

const LOOKED_MS = 10 * 60_000;

const NEXT: Record<Order['state'], string> = {
  queued: 'The box fetches it at its next contact. If this stays, look whether the box is online.',
  delivered: 'The box passes it to the workstation. If this stays, look whether the workstation is on.',
  started: 'The workstation is at it.',
  done: 'The box looks again at once.',
  failed: 'Read why, look at the workstation, then try dry before you order it again.',
  refused: 'Nothing was changed. Mend what the reason names, then order it again.',
  expired: 'See that box and workstation are on, then order it again.',
  indeterminate: 'Nobody can say whether it ran. Run the check; order it again if the check still fails.',
};
