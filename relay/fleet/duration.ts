const UNITS = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'min', ms: 60_000 },
  { name: 's', ms: 1_000 },
] as const;

/** "7 min", "3 h", "2 d": the largest whole unit, rounded down, so that nothing sounds older than it is. */
export function formatDuration(ms: number): string {
  for (const unit of UNITS) {
    if (ms >= unit.ms) return `${Math.floor(ms / unit.ms)} ${unit.name}`;
  }
  return '0 s';
}

/** "1 incident", "3 incidents", "2 entries". */
export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
