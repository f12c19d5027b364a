import type { Facts } from '@sitewarden/agent-proto/agent';
import type { CheckStatus } from '@sitewarden/agent-proto/checks';
import type { ActionRunState, OrderState } from '@sitewarden/agent-proto/http';
import { RUN_CODES, type RunCode } from '../lib/action-codes.ts';
import { workstationSays } from '../lib/incident-words.ts';
import { runsOnMs } from '../lib/runs-on.ts';

/** What the agent said about its order so far. */
export interface OrderFact {
  readonly state: OrderState;
  readonly code: string | null;
  readonly detail: string | null;
  readonly before: Facts | null;
  readonly after: Facts | null;
  readonly expiresAtMs: number;
}

export interface ProgressInput {
  readonly run: {
    readonly action: string;
    readonly state: ActionRunState;
    readonly finishedAtMs: number | null;
    readonly verifyByMs: number | null;
  };
  readonly where:
    | { readonly kind: 'box'; readonly isExecuting: boolean }
    | { readonly kind: 'agent'; readonly order: OrderFact | undefined };
  /** The newest result that was certainly collected after the action; undefined while there is none. */
  readonly fresh: { readonly status: CheckStatus; readonly receivedAtMs: number } | undefined;
  readonly lastAskedAtMs: number | undefined;
  readonly nowMs: number;
}

export type EndState = Extract<ActionRunState, 'done' | 'failed' | 'refused' | 'indeterminate'>;

export type Progress =
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'finish';
      readonly state: EndState;
      readonly code: string | null;
      /** Empty: the caller's own words for success. */
      readonly outcome: string;
      readonly before: Facts;
      readonly after: Facts;
    }
  | { readonly kind: 'judge'; readonly state: 'verified' | 'not_verified' }
  | { readonly kind: 'ask_recheck' };

/** A slow service gets several looks before its time is over. */
export const RECHECK_EVERY_MS = 15_000;
/** The last receipt may be on its way when the order expires. */
export const RECEIPT_GRACE_MS = 60_000;

/** Pure: what is to be done about a run that is under way. */
export function progress(input: ProgressInput): Progress {
  if (input.run.state === 'started') return progressStarted(input);
  if (input.run.state === 'done') return progressDone(input);
  return { kind: 'nothing' };
}

function progressStarted({ run, where, nowMs }: ProgressInput): Progress {
  // Only this process executes on the box: a started run it does not know of began before a crash.
  if (where.kind === 'box') return where.isExecuting ? { kind: 'nothing' } : ended('indeterminate', 'INTERRUPTED');
  const { order } = where;
  if (order === undefined) return ended('indeterminate', 'INTERRUPTED');
  switch (order.state) {
    case 'done':
    case 'failed':
    case 'refused':
    case 'indeterminate': {
      const { code, detail, before, after } = order;
      // AGENT/1 has no word of its own for an agent that was stopped in the middle.
      const state = code === 'INDETERMINATE' ? 'indeterminate' : order.state;
      return {
        kind: 'finish',
        state,
        code,
        outcome: workstationSays(detail ?? ''),
        before: before ?? {},
        after: after ?? {},
      };
    }
    case 'expired':
      return ended('failed', 'ORDER_EXPIRED');
    case 'queued':
    case 'delivered':
    case 'started': {
      const graceMs = order.state === 'started' ? Math.max(RECEIPT_GRACE_MS, runsOnMs(run.action)) : RECEIPT_GRACE_MS;
      if (nowMs < order.expiresAtMs + graceMs) return { kind: 'nothing' };
      return order.state === 'started' ? ended('indeterminate', 'ORDER_UNANSWERED') : ended('failed', 'ORDER_EXPIRED');
    }
  }
}

function progressDone({ run, fresh, lastAskedAtMs, nowMs }: ProgressInput): Progress {
  const finishedAtMs = run.finishedAtMs ?? nowMs;
  const verifyByMs = run.verifyByMs ?? finishedAtMs;
  if (fresh?.status === 'pass' && fresh.receivedAtMs <= verifyByMs) return { kind: 'judge', state: 'verified' };
  // Before its own end: the clock was set back, and the deadline means nothing any more.
  if (nowMs >= verifyByMs || nowMs < finishedAtMs - (verifyByMs - finishedAtMs)) {
    return { kind: 'judge', state: 'not_verified' };
  }
  if (lastAskedAtMs !== undefined && Math.abs(nowMs - lastAskedAtMs) < RECHECK_EVERY_MS) return { kind: 'nothing' };
  return { kind: 'ask_recheck' };
}

function ended(state: EndState, code: RunCode): Progress {
  return { kind: 'finish', state, code, outcome: RUN_CODES[code], before: {}, after: {} };
}
