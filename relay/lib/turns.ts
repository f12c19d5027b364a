import { relayErrors } from '../errors.ts';

export interface TurnLimits {
  /** Of all lanes together. */
  readonly maxRunning: number;
  /** Of each lane. */
  readonly maxWaiting: number;
}

/** Throws OVERLOADED when too many wait in this lane already. */
export type WithTurn = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Runs a few at once and lets a few wait. Lanes take turns, so whoever crowds one of them holds up nobody in another; within
 * a lane it goes by the order they came.
 */
export function createTurns({ maxRunning, maxWaiting }: TurnLimits): () => WithTurn {
  const lanes: (() => void)[][] = [];
  let running = 0;
  let last = 0;

  function next(): (() => void) | undefined {
    for (let step = 1; step <= lanes.length; step += 1) {
      const at = (last + step) % lanes.length;
      const waiter = lanes[at]?.shift();
      if (waiter === undefined) continue;
      last = at;
      return waiter;
    }
    return undefined;
  }

  return () => {
    const waiting: (() => void)[] = [];
    lanes.push(waiting);
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
        const waiter = next();
        if (waiter) waiter();
        else running -= 1;
      }
    };
  };
}

/** The thread pool also verifies signatures, so slow hashes of people's secrets share half of it and short queues. */
const hashLane = createTurns({ maxRunning: 2, maxWaiting: 64 });

/** What strangers can ask for: typed codes and passwords. */
export const withCodeGuessTurn: WithTurn = hashLane();
export const withSignInTurn: WithTurn = hashLane();
/** What only signed-in people can: a flood of guesses must not keep them from making codes. */
export const withStaffTurn: WithTurn = hashLane();
