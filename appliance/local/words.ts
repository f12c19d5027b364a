const UNITS = [
  [24 * 3600, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const;

/** "7 min", "2 d 3 h": the two largest units at the most. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const first = UNITS.findIndex(([unit]) => seconds >= unit);
  const [size, name] = UNITS[first] ?? [1, 's'];
  const next = UNITS[first + 1];
  const rest = next === undefined ? 0 : Math.floor((seconds % size) / next[0]);
  const head = `${Math.floor(seconds / size)} ${name}`;
  return rest > 0 && name !== 'min' ? `${head} ${rest} ${next?.[1]}` : head;
}

/** "7 min ago"; a time ahead is a clock that was set back since. */
export function ago(atMs: number, nowMs: number): string {
  if (atMs > nowMs + 1000) return 'in the future by this clock';
  return nowMs - atMs < 1000 ? 'just now' : `${span(nowMs - atMs)} ago`;
}

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export function bytes(value: number): string {
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < SIZES.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size >= 10 || unit === 0 ? Math.round(size) : size.toFixed(1)} ${SIZES[unit]}`;
}

/** An exact time, in UTC so that it means the same to everybody who reads it. */
export const exactly = (atMs: number): string =>
  new Date(atMs)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z/, ' UTC');
