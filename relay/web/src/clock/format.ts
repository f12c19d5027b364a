const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** 40 s, 7 min, 2 h 5 min, 3 d: never more exact than a person needs at that distance. */
export function formatDuration(ms: number): string {
  const span = Math.max(0, ms);
  if (span < MINUTE_MS) return `${Math.floor(span / SECOND_MS)} s`;
  if (span < HOUR_MS) return `${Math.floor(span / MINUTE_MS)} min`;
  if (span < DAY_MS) return pair(span, HOUR_MS, 'h', MINUTE_MS, 'min');
  if (span < 10 * DAY_MS) return pair(span, DAY_MS, 'd', HOUR_MS, 'h');
  return `${Math.floor(span / DAY_MS)} d`;
}

function pair(span: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((span % big) / small);
  return rest === 0
    ? `${Math.floor(span / big)} ${bigUnit}`
    : `${Math.floor(span / big)} ${bigUnit} ${rest} ${smallUnit}`;
}

/** Relative to the relay's present: "7 min ago", "in 9 min", "just now". */
export function formatRelative(atMs: number, nowMs: number): string {
  const age = nowMs - atMs;
  if (Math.abs(age) < 2 * SECOND_MS) return 'just now';
  return age > 0 ? `${formatDuration(age)} ago` : `in ${formatDuration(-age)}`;
}

const EXACT = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZoneName: 'short',
});
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** In the reader's time zone, which is named. */
export const formatExact = (atMs: number): string => EXACT.format(atMs);
export const formatClock = (atMs: number): string => CLOCK.format(atMs);

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

const WHOLE = new Intl.NumberFormat('en-GB');
export const formatCount = (count: number): string => WHOLE.format(count);
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;
