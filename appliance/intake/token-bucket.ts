import { applianceErrors } from '../errors.ts';

export interface BucketRules {
  readonly perS: number;
  readonly burst: number;
  readonly nowMs: number;
  /** Who has to wait waits until so many may pass: to come back for each one would cost more than the one. Default 1. */
  readonly refill?: number;
}

/** Lets `burst` through at once and `perS` in a second after that. The clock is monotonic milliseconds. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #refill: number;
  #tokens: number;
  #atMs: number;

  constructor({ perS, burst, nowMs, refill = 1 }: BucketRules) {
    this.#perMs = perS / 1000;
    this.#burst = burst;
    this.#refill = refill;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** 0 when it may pass, else how many milliseconds to wait. What costs more than the burst passes a full bucket. */
  take(nowMs: number, cost = 1): number {
    const due = Math.min(cost, this.#burst);
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    if (this.#tokens >= due) {
      this.#tokens -= due;
      return 0;
    }
    const awaited = Math.min(this.#burst, Math.max(due, this.#refill));
    return Math.ceil((awaited - this.#tokens) / this.#perMs);
  }

  /** Nothing was taken for so long that forgetting the bucket changes nothing. */
  isFull(nowMs: number): boolean {
    return this.#tokens + (nowMs - this.#atMs) * this.#perMs >= this.#burst;
  }
}

/** Lets one of this cost through. Throws RATE_LIMITED with how long to wait, `leastMs` at least. */
export function pay(bucket: TokenBucket, { nowMs, cost = 1, leastMs = 0 }: Payment): void {
  const waitMs = bucket.take(nowMs, cost);
  if (waitMs > 0) throw applianceErrors.make('RATE_LIMITED', { data: { retryDelayMs: Math.max(leastMs, waitMs) } });
}

export interface Payment {
  readonly nowMs: number;
  readonly cost?: number;
  readonly leastMs?: number;
}

/** For a session or its reports: coming back sooner would cost more than the wait. */
export const LEAST_WAIT_MS = 100;

/** A report of a round of checks has 2 KiB. A larger one counts as one for each of these that it takes. */
const BYTES_OF_ONE = 16 * 1024;

/** What a report costs in the bucket of its agent: so the rate of reports bounds their bytes too. */
export const costOf = (body: Uint8Array): number => Math.max(1, Math.ceil(body.length / BYTES_OF_ONE));
