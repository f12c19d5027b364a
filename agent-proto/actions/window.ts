import type { Facts } from '../agent/facts.ts';

/** A maintenance window is one night, not a standing permission. */
export const MAX_WINDOW_MS = 24 * 3_600_000;
/** So far ahead it may end: an order lives as long as its window, and what staff wanted longer ago is old news. */
export const MAX_WINDOW_AHEAD_MS = 7 * 24 * 3_600_000;

export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

/** The window that parameters name; undefined for an action that has none. */
export function windowOf({ window_start_ms: startMs, window_end_ms: endMs }: Facts): Window | undefined {
  return typeof startMs === 'number' && typeof endMs === 'number' ? { startMs, endMs } : undefined;
}

export interface WindowFault {
  readonly field: 'window_start_ms' | 'window_end_ms';
  /** What is wrong, without a full stop. */
  readonly detail: string;
}

/** Pure: why a window cannot be given an order for. `latestEndMs`: the end of the order itself. */
export function windowFault(
  { startMs, endMs }: Window,
  { nowMs, latestEndMs }: { nowMs: number; latestEndMs: number },
): WindowFault | undefined {
  const field = 'window_end_ms';
  if (endMs <= startMs) return { field, detail: 'The window ends before it begins' };
  if (endMs - startMs > MAX_WINDOW_MS) return { field, detail: 'The window is longer than 24 hours' };
  if (endMs <= nowMs) return { field, detail: 'The window is over' };
  if (endMs > latestEndMs) return { field, detail: 'The window ends after the order itself' };
  return undefined;
}
