import type { CheckTimeline, StatusSpan } from '../../api/types.ts';
import { formatDuration } from '../../clock/format.ts';
import { CHECK_STATUS } from '../../words/checks.ts';
import type { Sign } from '../../words/tone.ts';

export const SPAN_STATUS: Record<StatusSpan['status'], Sign> = {
  pass: CHECK_STATUS.pass,
  fail: CHECK_STATUS.fail,
  unknown: CHECK_STATUS.unknown,
  not_applicable: CHECK_STATUS.not_applicable,
  not_known: { tone: 'neutral', icon: 'dots', word: 'Not known' },
};

/** "Pass 88 d, fail 1 d 2 h": how long each status held, as long as it held at all. */
export function spanWords({ spans }: CheckTimeline): string {
  const sums = new Map<StatusSpan['status'], number>();
  for (const { status, fromMs, toMs } of spans) sums.set(status, (sums.get(status) ?? 0) + toMs - fromMs);
  return (Object.keys(SPAN_STATUS) as StatusSpan['status'][])
    .filter((status) => sums.has(status))
    .map((status) => `${SPAN_STATUS[status].word.toLowerCase()} ${formatDuration(sums.get(status) ?? 0)}`)
    .join(', ');
}
