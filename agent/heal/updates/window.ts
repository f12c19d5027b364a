import { agentErrors } from '../../errors.ts';
import type { ActionContext, Sight } from '../actions/types.ts';
import { type Plan, refused, stateUnknown } from '../plan.ts';

export interface WindowParams {
  readonly window_start_ms: number;
  readonly window_end_ms: number;
}

/** With less than this left, an installation is not begun: it would be cut or run over. */
const LEAST_LEFT_MS = 60_000;

export function leftMs({ window_start_ms: start, window_end_ms: end }: WindowParams, nowMs: number): number {
  return nowMs < start ? 0 : Math.max(0, end - nowMs);
}

/** Why nothing is to be installed now; undefined: go on. A dry run is told outside the window too. */
export function notNow(
  before: Sight,
  params: WindowParams & { readonly dry_run?: boolean },
  context: ActionContext,
): Plan | undefined {
  const pending = before.facts.pending_security;
  if (before.facts.probe_error !== undefined || typeof pending !== 'number') return stateUnknown(before);
  if (pending === 0) return { nothing: `no security update waits.${restartWords(before)}` };
  const isTime = leftMs(params, context.nowMs()) >= LEAST_LEFT_MS;
  if (isTime || params.dry_run === true) return undefined;
  return refused('OUTSIDE_WINDOW', 'A window that is over, has not begun or has less than a minute left');
}

export const restartWords = ({ facts }: Sight): string =>
  facts.reboot_required === true ? ' A restart is pending; the agent does not restart the machine.' : '';

/** For the end of an installation that a check of the same machine proves. */
export const isInstalled = ({ facts }: Sight): boolean =>
  facts.probe_error === undefined && facts.pending_security === 0;

export const installedNote = (after: Sight): string => `No security update waits any more.${restartWords(after)}`;

export const windowEnded = (done: number, all: number): Error =>
  agentErrors.make('WINDOW_ENDED', { detail: `${done} of ${all} were installed` });
