import { keyOf } from './check-changes.ts';

export const SPAN_STATUSES = ['pass', 'fail', 'unknown', 'not_applicable', 'not_known'] as const;
/** `not_known`: the relay cannot say; before the first result, while nobody looked, or since the agent was last heard. */
export type SpanStatus = (typeof SPAN_STATUSES)[number];

export interface StatusSpan {
  status: SpanStatus;
  fromMs: number;
  toMs: number;
}

export interface CheckTimeline {
  check: string;
  subject: string;
  /** Oldest first, without gaps, from the begin of the window to its end. */
  spans: StatusSpan[];
}

interface Change {
  readonly agentId: string;
  readonly check: string;
  readonly subject: string;
  readonly status: string;
  readonly fromMs: number;
}

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  /** Until then the agent was heard; after it nothing is known. */
  readonly heardMs: number;
}

/** One timeline a check and subject, by name. `changes` in any order. Pure. */
export function timelinesOf(changes: readonly Change[], window: Window): CheckTimeline[] {
  const byCheck = new Map<string, Change[]>();
  for (const change of changes) {
    const list = byCheck.get(keyOf(change));
    if (list) list.push(change);
    else byCheck.set(keyOf(change), [change]);
  }
  return [...byCheck.values()]
    .map((list) => ({
      check: list[0]?.check ?? '',
      subject: list[0]?.subject ?? '',
      spans: spansOf(list, window),
    }))
    .filter(({ spans }) => spans.some(({ status }) => status !== 'not_known'))
    .sort((a, b) => compare(a.check, b.check) || compare(a.subject, b.subject));
}

function spansOf(changes: readonly Change[], { fromMs, toMs, heardMs }: Window): StatusSpan[] {
  const sorted = [...changes].sort((a, b) => a.fromMs - b.fromMs);
  const heardTo = Math.max(fromMs, Math.min(heardMs, toMs));
  const spans: StatusSpan[] = [];
  const add = (status: SpanStatus, from: number, to: number) => {
    const begin = Math.max(from, fromMs);
    const end = Math.min(to, toMs);
    if (begin >= end) return;
    const last = spans.at(-1);
    if (last?.status === status) spans[spans.length - 1] = { ...last, toMs: end };
    else spans.push({ status, fromMs: begin, toMs: end });
  };
  add('not_known', fromMs, sorted[0]?.fromMs ?? toMs);
  sorted.forEach(({ status, fromMs: from }, index) => {
    const to = Math.min(sorted[index + 1]?.fromMs ?? heardTo, heardTo);
    add(SPAN_STATUSES.find((known) => known === status) ?? 'not_known', from, Math.max(from, to));
  });
  add('not_known', spans.at(-1)?.toMs ?? fromMs, toMs);
  return spans;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
