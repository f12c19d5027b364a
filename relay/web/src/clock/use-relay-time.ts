import { useSyncExternalStore } from 'react';
import { relayClock } from './relay-clock.ts';

/**
 * A value made from the relay's present time, looked at again every second. `pick` must return a string, number or
 * boolean: the component renders again only when it changes.
 */
export function useRelayTime<T extends string | number | boolean | null>(pick: (nowMs: number | null) => T): T {
  return useSyncExternalStore(relayClock.subscribe, () => pick(relayClock.nowMs()));
}
