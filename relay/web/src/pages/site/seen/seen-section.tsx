import { useQuery } from '@tanstack/react-query';
import { availabilityQuery } from '../../../api/queries/custody.ts';
import type { SeenSpan } from '../../../api/types.ts';
import { formatDuration } from '../../../clock/format.ts';
import { Disclosure } from '../../../components/disclosure.tsx';
import { Loaded } from '../../../components/loaded.tsx';
import { Section } from '../../../components/section.tsx';
import { RowsSkeleton } from '../../../components/skeletons.tsx';
import css from './seen.module.css';

const DAY = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' });
const HOUR = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
});

/** Was the box heard, and when was it not? */
export function SeenSection({ siteId }: { siteId: string }) {
  const availability = useQuery(availabilityQuery(siteId));
  return (
    <Section id="seen" title="Seen">
      <Loaded query={availability} what="The history" skeleton={<RowsSkeleton rows={1} height={56} />}>
        {({ hours, days }) => <Strip hours={hours} days={days} />}
      </Loaded>
    </Section>
  );
}

function Strip({ hours, days }: { hours: SeenSpan[]; days: SeenSpan[] }) {
  const known = hours.filter(({ ofMs }) => ofMs > 0);
  if (known.length === 0)
    return <p className="dim">Nothing is rolled up yet: the first hour shows about ten minutes after the claim.</p>;
  const missing = known.reduce((sum, { seenMs, ofMs }) => sum + ofMs - seenMs, 0);
  return (
    <div className={css.all}>
      <p>
        Heard {percent(known)} of the last {lengthOf(known)}
        <span className="dim">{missing > 0 ? `, not heard for ${formatDuration(missing)}` : ', without a gap'}</span>
      </p>
      <div className={css.strip} role="img" aria-label={labelOf(known, missing)}>
        {hours.map((hour) => (
          <span key={hour.fromMs} className={css.slot} title={titleOf(hour)} data-tone={toneOf(hour)}>
            <span className={css.bar} style={{ height: `${hour.ofMs === 0 ? 0 : (100 * hour.seenMs) / hour.ofMs}%` }} />
          </span>
        ))}
      </div>
      <p className={`dim small ${css.ends}`}>
        <span>48 h ago</span>
        <span>now</span>
      </p>
      <Disclosure summary="Day by day">
        <ul>
          {[...days]
            .filter(({ ofMs }) => ofMs > 0)
            .reverse()
            .map((day) => (
              <li key={day.fromMs} className={css.day}>
                <span>{DAY.format(day.fromMs)}</span>
                <span>
                  {percent([day])}
                  {day.ofMs > day.seenMs && (
                    <span className="dim">, not heard for {formatDuration(day.ofMs - day.seenMs)}</span>
                  )}
                </span>
              </li>
            ))}
        </ul>
        <p className="dim small">Days are those of UTC. A gap of five minutes or more counts as not heard.</p>
      </Disclosure>
    </div>
  );
}

/** Never rounded up to a hundred: that word is for no gap at all. */
function percent(spans: readonly SeenSpan[]): string {
  const seen = spans.reduce((sum, { seenMs }) => sum + seenMs, 0);
  const of = spans.reduce((sum, { ofMs }) => sum + ofMs, 0);
  return seen === of ? '100 %' : `${(Math.floor((1000 * seen) / of) / 10).toFixed(1)} %`;
}

/** Only what is known counts: before the claim nobody was there to be heard. */
const lengthOf = (known: readonly SeenSpan[]): string => formatDuration(known.reduce((sum, { ofMs }) => sum + ofMs, 0));

const labelOf = (known: readonly SeenSpan[], missing: number): string =>
  `Heard ${percent(known)} of the last ${lengthOf(known)}${missing > 0 ? `, not heard for ${formatDuration(missing)}` : ''}`;

function toneOf({ seenMs, ofMs }: SeenSpan): 'unknown' | 'ok' | 'bad' {
  if (ofMs === 0) return 'unknown';
  return seenMs < ofMs ? 'bad' : 'ok';
}

function titleOf({ fromMs, seenMs, ofMs }: SeenSpan): string {
  const when = `${HOUR.format(fromMs)} UTC`;
  if (ofMs === 0) return `${when}: nothing is known`;
  return seenMs < ofMs ? `${when}: not heard for ${formatDuration(ofMs - seenMs)}` : `${when}: heard throughout`;
}
