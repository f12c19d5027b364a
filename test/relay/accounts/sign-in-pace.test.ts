import fc from 'fast-check';
import t from 'tap';
import { giveBackTry, NO_PACE, PACE, type Pace, type Paces, payForTry } from '../../../relay/accounts/sign-in-pace.ts';

const START = 1_000_000_000_000;
const MINUTE = 60_000;

/** The three buckets of everyone who tries, as the store keeps them. */
class Door {
  readonly #rows = new Map<string, Pace>();

  #keys(account: string, address: string) {
    return { pair: `${account} at ${address}`, address: `at ${address}`, account } as const;
  }

  read(account: string, address: string): Paces {
    const keys = this.#keys(account, address);
    const of = (kind: keyof typeof keys) => this.#rows.get(keys[kind]) ?? NO_PACE;
    return { pair: of('pair'), address: of('address'), account: of('account') };
  }

  #write(account: string, address: string, paces: Paces) {
    const keys = this.#keys(account, address);
    for (const kind of ['pair', 'address', 'account'] as const) this.#rows.set(keys[kind], paces[kind]);
  }

  /** ms to wait; 0: the try was looked at. */
  try(account: string, address: string, { nowMs, isRight = false }: { nowMs: number; isRight?: boolean }): number {
    const before = this.read(account, address);
    const verdict = payForTry(before, nowMs);
    if (!verdict.ok) return verdict.retryAtMs - nowMs;
    const { paid } = verdict;
    this.#write(account, address, paid);
    if (isRight) {
      const after = giveBackTry({ before, paid, now: paid }, { wasRight: true, nowMs });
      this.#write(account, address, after);
    }
    return 0;
  }
}

t.test('five failures are free, then each waits twice as long, up to a quarter of an hour', async (t) => {
  const door = new Door();
  let nowMs = START;
  for (let i = 0; i < 5; i += 1) t.equal(door.try('kim', 'home', { nowMs: nowMs + i }), 0, `try ${i + 1}`);
  const waits: number[] = [];
  nowMs += 4;
  for (let i = 0; i < 12; i += 1) {
    const waitMs = door.try('kim', 'home', { nowMs });
    waits.push(waitMs);
    nowMs += waitMs;
    t.equal(door.try('kim', 'home', { nowMs }), 0, 'exactly then it counts');
  }
  t.strictSame(waits.slice(0, 4), [1000, 2000, 4000, 8000]);
  t.ok(Math.max(...waits) <= PACE.pair.maxMs);
  t.ok(
    waits.every((wait, i) => i === 0 || wait >= (waits[i - 1] as number)),
    'it only grows',
  );
});

t.test('who is locked does not lengthen the wait by trying on', async (t) => {
  const door = new Door();
  for (let i = 0; i < 5; i += 1) door.try('kim', 'home', { nowMs: START });
  for (let i = 0; i < 100; i += 1) t.equal(door.try('kim', 'home', { nowMs: START + i }), 1000 - i);
});

t.test('an attacker who signs in to an account of their own buys no guesses', async (t) => {
  const guesses = (signsInBetween: boolean) => {
    const door = new Door();
    let looked = 0;
    for (let second = 0; second < 3600; second += 1) {
      const nowMs = START + second * 1000;
      if (signsInBetween) door.try('attacker', 'den', { nowMs, isRight: true });
      if (door.try(`victim ${second % 50}`, 'den', { nowMs }) === 0) looked += 1;
    }
    return looked;
  };
  t.ok(guesses(true) <= guesses(false), `${guesses(true)} with, ${guesses(false)} without`);
  t.ok(guesses(false) < 80, 'an address that tries many accounts is slowed');
});

t.test('a success empties the counter of this account at this address only', async (t) => {
  const door = new Door();
  for (let i = 0; i < 4; i += 1) door.try('kim', 'office', { nowMs: START });
  const before = door.read('kim', 'office');
  t.equal(door.try('kim', 'office', { nowMs: START + 1, isRight: true }), 0);
  const after = door.read('kim', 'office');
  t.equal(after.pair.drainedAtMs, 0);
  t.equal(after.address.drainedAtMs, before.address.drainedAtMs);
  t.equal(after.account.drainedAtMs, before.account.drainedAtMs);
});

t.test(
  'whatever others do, the person at another address waits half a minute at most, and not where they are known',
  async (t) => {
    const guess = fc.record({ address: fc.integer({ min: 0, max: 40 }), afterMs: fc.integer({ min: 0, max: 20_000 }) });
    const promise = fc.property(fc.array(guess, { maxLength: 300 }), (guesses) => {
      const door = new Door();
      let nowMs = START;
      door.try('kim', 'office', { nowMs, isRight: true });
      for (const { address, afterMs } of guesses) {
        nowMs += afterMs;
        door.try('kim', `bot ${address}`, { nowMs });
      }
      const waitMs = door.try('kim', 'hotel', { nowMs });
      return waitMs <= PACE.account.maxMs && door.try('kim', 'office', { nowMs }) === 0;
    });
    t.doesNotThrow(() => fc.assert(promise));
  },
);

t.test('strangers behind the same address do not lock out who is known there', async (t) => {
  const door = new Door();
  t.equal(door.try('kim', 'guest network', { nowMs: START, isRight: true }), 0);
  const nowMs = START + MINUTE;
  for (let i = 0; i < 40; i += 1) door.try(`account ${i}`, 'guest network', { nowMs });
  t.equal(door.try('lee', 'guest network', { nowMs }), PACE.address.baseMs, 'who is not known there waits');
  t.equal(door.try('kim', 'guest network', { nowMs }), 0, 'who is known does not');
  for (let i = 1; i < PACE.pair.free; i += 1) t.equal(door.try('kim', 'guest network', { nowMs }), 0);
  t.equal(door.try('kim', 'guest network', { nowMs }), PACE.pair.baseMs, 'guesses at them there stay bounded');
  t.equal(door.try('kim', 'hotel', { nowMs }), 0, 'and what others did there follows them nowhere');
  const later = START + 31 * 24 * 60 * MINUTE;
  for (let i = 0; i < 40; i += 1) door.try(`account ${i}`, 'guest network', { nowMs: later });
  t.equal(
    door.try('kim', 'guest network', { nowMs: later }),
    PACE.address.baseMs,
    'after a month they are known no more',
  );
});

t.test('tries that come together have no more than there are, and time only ever helps', async (t) => {
  const step = fc.record({ afterMs: fc.integer({ min: -5000, max: 30 * MINUTE }), isRight: fc.boolean() });
  const promise = fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const door = new Door();
    let nowMs = START;
    for (const { afterMs, isRight } of steps) {
      nowMs += afterMs;
      const waitMs = door.try('kim', 'home', { nowMs, isRight });
      if (waitMs < 0 || waitMs > PACE.pair.maxMs) return false;
      if (waitMs === 0) continue;
      const later = payForTry(door.read('kim', 'home'), nowMs + waitMs);
      if (!later.ok) return false;
    }
    // However much failed: a day later everything is forgiven.
    const verdict = payForTry(door.read('kim', 'home'), nowMs + 24 * 60 * MINUTE);
    return verdict.ok;
  });
  t.doesNotThrow(() => fc.assert(promise));
});

t.test('a try nobody looked at is given back as if it had not been', async (t) => {
  const before: Paces = { pair: NO_PACE, address: NO_PACE, account: NO_PACE };
  const verdict = payForTry(before, START);
  if (!verdict.ok) throw new Error('the first try is looked at');
  const { paid } = verdict;
  const back = giveBackTry({ before, paid, now: paid }, { wasRight: false, nowMs: START });
  for (const kind of ['pair', 'address', 'account'] as const) {
    t.ok(back[kind].drainedAtMs <= START, kind);
    t.equal(back[kind].lastAtMs, 0);
  }
});
