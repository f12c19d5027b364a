import { createHash } from 'node:crypto';
import { addressKey } from '@sitewarden/kit/net';
import { relayErrors } from '../errors.ts';
import type { DirectoryTx, Store } from '../store/index.ts';
import { readFailures, writeFailures } from '../store/repositories/sign-in-failures.ts';
import { giveBackTry, NO_PACE, PACE_KINDS, type PaceKind, type Paces, payForTry } from './sign-in-pace.ts';

/** A try that was paid for: said to be wrong by saying nothing. */
export interface PaidTry {
  /** `wasRight`: the password was; otherwise nobody has looked at it. */
  giveBack(result: { wasRight: boolean; nowMs: number }): Promise<void>;
}

/** Who tries: `account` is the e-mail as typed, which may be nobody's, or an id. */
export interface Trier {
  readonly account: string;
  readonly ip: string;
}

type Keys = Readonly<Record<PaceKind, string>>;

/** Hashed, so that the counters list neither people nor where they are. */
function keysOf({ account, ip }: Trier): Keys {
  const hash = (...parts: string[]) => createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
  const address = addressKey(ip);
  return { pair: hash('pair', account, address), address: hash('address', address), account: hash('account', account) };
}

async function readPaces(trx: DirectoryTx, keys: Keys): Promise<Paces> {
  const rows = await readFailures(trx, Object.values(keys));
  const of = (kind: PaceKind) => rows.get(keys[kind]) ?? NO_PACE;
  return { pair: of('pair'), address: of('address'), account: of('account') };
}

const writePaces = (trx: DirectoryTx, keys: Keys, paces: Paces): Promise<void> =>
  writeFailures(trx, new Map(PACE_KINDS.map((kind) => [keys[kind], paces[kind]])));

/** Pays for a look at a password; the counters are in the store and survive a restart. Throws SIGN_IN_LOCKED. */
export async function payForSignIn(store: Store, trier: Trier, nowMs: number): Promise<PaidTry> {
  const keys = keysOf(trier);
  const { before, verdict } = await store.system(async (trx) => {
    const before = await readPaces(trx, keys);
    const verdict = payForTry(before, nowMs);
    if (verdict.ok) await writePaces(trx, keys, verdict.paid);
    return { before, verdict };
  });
  if (!verdict.ok) {
    const retryAfterS = Math.max(1, Math.ceil((verdict.retryAtMs - nowMs) / 1000));
    throw relayErrors.make('SIGN_IN_LOCKED', {
      detail: `Too many tries failed; the next one counts in ${retryAfterS} s`,
      data: { retryAfterS },
    });
  }
  const { paid } = verdict;
  return {
    giveBack: (result) =>
      store.system(async (trx) => {
        const now = await readPaces(trx, keys);
        await writePaces(trx, keys, giveBackTry({ before, paid, now }, result));
      }),
  };
}
