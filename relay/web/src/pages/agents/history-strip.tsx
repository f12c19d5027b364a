import type { CheckTimeline } from '../../api/types.ts';
import { formatDuration, formatExact, plural } from '../../clock/format.ts';
import { Disclosure } from '../../components/disclosure.tsx';
import { ShortList } from '../../components/short-list.tsx';
import { Tag } from '../../components/tag.tsx';
import { checkTitle } from '../../words/checks.ts';
import css from './history.module.css';
import { SPAN_STATUS, spanWords } from './history-words.ts';

/** One check over time: as a strip, in words, and as a table. */
export function CheckHistory({ timeline }: { timeline: CheckTimeline }) {
  const { check, subject, spans } = timeline;
  const title = `${checkTitle(check)}${subject && ` ${subject}`}`;
  const begin = spans[0]?.fromMs ?? 0;
  const length = Math.max(1, (spans.at(-1)?.toMs ?? 0) - begin);
  return (
    <section className={css.check} aria-label={title}>
      <h3>
        {checkTitle(check)} {subject && <span className="dim">{subject}</span>}
      </h3>
      <svg
        className={css.strip}
        viewBox="0 0 1000 24"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${spanWords(timeline)}`}
      >
        {spans.map(({ status, fromMs, toMs }) => (
          <rect
            key={fromMs}
            className={css.span}
            data-status={status}
            x={(1000 * (fromMs - begin)) / length}
            width={Math.max(2, (1000 * (toMs - fromMs)) / length)}
            {...SHAPES[status]}
          >
            <title>{`${SPAN_STATUS[status].word}: ${formatExact(fromMs)}, for ${formatDuration(toMs - fromMs)}`}</title>
          </rect>
        ))}
      </svg>
      <Disclosure summary={<span className="small dim">{sentence(spanWords(timeline))}</span>}>
        <ShortList items={[...spans].reverse()} shown={20} noun="span">
          {(shown) => (
            <table className={css.table}>
              <caption className="visually-hidden">
                {title}, {plural(spans.length, 'span')}, newest first
              </caption>
              <thead>
                <tr>
                  <th scope="col">Status</th>
                  <th scope="col">From</th>
                  <th scope="col">For</th>
                </tr>
              </thead>
              <tbody>
                {shown.map(({ status, fromMs, toMs }) => (
                  <tr key={fromMs}>
                    <td>
                      <Tag sign={SPAN_STATUS[status]} bare />
                    </td>
                    <td>{formatExact(fromMs)}</td>
                    <td>{formatDuration(toMs - fromMs)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </ShortList>
      </Disclosure>
    </section>
  );
}

/** Each status has a height of its own: the strip can be read without its colours. */
const SHAPES = {
  pass: { y: 14, height: 10 },
  fail: { y: 0, height: 24 },
  unknown: { y: 7, height: 17 },
  not_applicable: { y: 20, height: 4 },
  not_known: { y: 22, height: 2 },
} as const;

const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
