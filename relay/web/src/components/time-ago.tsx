import { useState } from 'react';
import { formatExact, formatRelative } from '../clock/format.ts';
import { useRelayTime } from '../clock/use-relay-time.ts';
import css from './time-ago.module.css';

interface TimeAgoProps {
  atMs: number;
  /** In long lists: no tab stop of its own; the exact time stays on hover. */
  quiet?: boolean;
}

/** Relative to the relay's present and counting on; hover shows the exact time, tap or Enter switches to it. */
export function TimeAgo({ atMs, quiet }: TimeAgoProps) {
  const relative = useRelayTime((nowMs) => (nowMs === null ? formatExact(atMs) : formatRelative(atMs, nowMs)));
  const [isExact, setExact] = useState(false);
  const exact = formatExact(atMs);
  const time = <time dateTime={new Date(atMs).toISOString()}>{isExact ? exact : relative}</time>;
  if (quiet) return <span title={exact}>{time}</span>;
  return (
    <button
      type="button"
      className={css.time}
      title={exact}
      aria-label={`${relative}, exactly ${exact}`}
      onClick={() => setExact(!isExact)}
    >
      {time}
    </button>
  );
}
