/** More from one key within the window than any honest box sends; it bounds the memory of one key. */
const MAX_PER_KEY = 20_000;

export type NonceVerdict = 'new' | 'seen' | 'too_many';

/**
 * Remembers nonces a key has used for at least `windowMs` and at most twice that, in two generations that are dropped as
 * a whole. It lives in this process: after a restart, or at another relay of the same store, a request can be played
 * once more within the clock skew; what requests do is idempotent for that reason too.
 */
export class NonceMemory {
  readonly #windowMs: number;
  #current = new Map<string, Set<string>>();
  #previous = new Map<string, Set<string>>();
  #currentSinceMs: number | undefined;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Takes a nonce of a verified request. `nowMs` is monotonic time. */
  take(key: string, nonce: string, nowMs: number): NonceVerdict {
    this.#rotate(nowMs);
    if (this.#current.get(key)?.has(nonce) || this.#previous.get(key)?.has(nonce)) return 'seen';
    let nonces = this.#current.get(key);
    if (nonces === undefined) {
      nonces = new Set();
      this.#current.set(key, nonces);
    }
    if (nonces.size >= MAX_PER_KEY) return 'too_many';
    nonces.add(nonce);
    return 'new';
  }

  #rotate(nowMs: number): void {
    this.#currentSinceMs ??= nowMs;
    const ageMs = nowMs - this.#currentSinceMs;
    if (ageMs < this.#windowMs) return;
    this.#previous = ageMs < 2 * this.#windowMs ? this.#current : new Map();
    this.#current = new Map();
    this.#currentSinceMs = nowMs;
  }
}
