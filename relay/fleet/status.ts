import { formatDuration } from './duration.ts';

/** The one place these limits stand: API, web, alerts and reports all get their status from `fleetStatus`. */
export const STATUS_LIMITS = {
  /** Younger is online. Five missed check-ins of 60 s are no accident any more. */
  staleFromMs: 5 * 60_000,
  /** Up to and including this stale, older is offline. */
  staleThroughMs: 15 * 60_000,
} as const;

export type StatusValue = 'online' | 'stale' | 'offline' | 'pending';

/** The value with its age, the moment it began and a sentence for people. */
export interface Status {
  value: StatusValue;
  /** Since the last check-in, by the relay's clock; null when there never was one. */
  ageMs: number | null;
  /** When the value began; null when that is not known (online without `onlineSinceMs`, pending). */
  sinceMs: number | null;
  reason: string;
}

export interface StatusInput {
  /** When the relay received the last check-in, by the relay's own clock. What the box believes is no input. */
  lastCheckinAtMs: number | null;
  nowMs: number;
  onlineSinceMs?: number | null;
  /** Is a box in service at the site? Default true. */
  hasBox?: boolean;
}

/**
 * online < 5 min, stale 5 to 15 min, offline > 15 min, pending never. A receive time ahead of `nowMs` means that the
 * relay's own clock was set back: a little counts as now, more than `staleFromMs` counts as stale, never as online.
 */
export function fleetStatus({ lastCheckinAtMs, nowMs, onlineSinceMs = null, hasBox = true }: StatusInput): Status {
  if (lastCheckinAtMs === null || !Number.isFinite(lastCheckinAtMs)) return pending(hasBox);
  const ageMs = Math.max(0, nowMs - lastCheckinAtMs);
  if (lastCheckinAtMs - nowMs > STATUS_LIMITS.staleFromMs) {
    const reason = 'stale: the relay clock was set back after the last check-in, waiting for the next one';
    return { value: 'stale', ageMs, sinceMs: null, reason };
  }
  const last = `last check-in ${formatDuration(ageMs)} ago`;
  if (ageMs < STATUS_LIMITS.staleFromMs) {
    return { value: 'online', ageMs, sinceMs: onlineSinceMs, reason: `online: ${last}` };
  }
  const value = ageMs <= STATUS_LIMITS.staleThroughMs ? 'stale' : 'offline';
  const limitMs = value === 'stale' ? STATUS_LIMITS.staleFromMs : STATUS_LIMITS.staleThroughMs;
  return { value, ageMs, sinceMs: lastCheckinAtMs + limitMs, reason: `${value}: ${last}` };
}

function pending(hasBox: boolean): Status {
  const reason = hasBox ? 'pending: the box has not checked in yet' : 'pending: no box watches this site';
  return { value: 'pending', ageMs: null, sinceMs: null, reason };
}

/** When the status will change by itself if nothing more is heard; null when it will not. */
export function nextFlipAtMs(lastCheckinAtMs: number | null, nowMs: number): number | null {
  if (lastCheckinAtMs === null) return null;
  const ageMs = nowMs - lastCheckinAtMs;
  if (ageMs < STATUS_LIMITS.staleFromMs) return lastCheckinAtMs + STATUS_LIMITS.staleFromMs;
  if (ageMs <= STATUS_LIMITS.staleThroughMs) return lastCheckinAtMs + STATUS_LIMITS.staleThroughMs + 1;
  return null;
}
