import { relayErrors } from '../errors.ts';

export interface TurnLimits {
  readonly maxRunning: number;
  readonly maxWaiting: number;
}

export type WithTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** Runs a few at once and lets a few wait, in the order they came. Throws OVERLOADED when too many wait already. */
export function createTurns({ maxRunning, maxWaiting }: TurnLimits): WithTurn {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= maxRunning) {
      if (waiting.length >= maxWaiting) throw relayErrors.make('OVERLOADED', { data: { retryAfterS: 5 } });
      // Whoever wakes us leaves us its turn.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}

/** The thread pool also verifies signatures, so slow hashes of people's secrets share half of it and a short queue. */
export const withHashTurn: WithTurn = createTurns({ maxRunning: 2, maxWaiting: 64 });
