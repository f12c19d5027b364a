import t from 'tap';
import { payForSignIn } from '../../relay/accounts/sign-in-budget.ts';
import { PACE } from '../../relay/accounts/sign-in-pace.ts';
import { purgeExpired } from '../../relay/claim/purge.ts';
import type { Store } from '../../relay/store/index.ts';
import { onBothEngines } from '../helpers/engines.ts';

const KIM = { account: 'kim@partner.example', ip: '192.0.2.1' };
const NOW = 1_800_000_000_000;

const rowsOf = (store: Store) => store.system((trx) => trx.selectFrom('sign_in_failure').selectAll().execute());

await onBothEngines(t, async (t, fresh) => {
  await t.test('tries that come together are counted one by one', async (t) => {
    const store = await fresh(t);
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => payForSignIn(store, KIM, NOW)));
    t.equal(tries.filter(({ status }) => status === 'fulfilled').length, PACE.pair.free);
    for (const one of tries.filter(({ status }) => status === 'rejected')) {
      t.match(one, { reason: { code: 'SIGN_IN_LOCKED', data: { retryAfterS: 1 } } });
    }
  });

  await t.test('what was given back counts for nobody, and others keep theirs', async (t) => {
    const store = await fresh(t);
    const tries = await Promise.all(Array.from({ length: 4 }, () => payForSignIn(store, KIM, NOW)));
    await Promise.all(tries.map((one) => one.giveBack({ wasRight: false, nowMs: NOW })));
    for (let i = 0; i < PACE.pair.free; i += 1) await payForSignIn(store, KIM, NOW);
    await t.rejects(payForSignIn(store, KIM, NOW), { code: 'SIGN_IN_LOCKED' });
    await payForSignIn(store, { ...KIM, ip: '192.0.2.2' }, NOW);
  });

  await t.test('drained counters are removed, known addresses stay for a month, and neither says who', async (t) => {
    const store = await fresh(t);
    await payForSignIn(store, { account: 'nobody@partner.example', ip: '192.0.2.9' }, NOW);
    const right = await payForSignIn(store, KIM, NOW);
    await right.giveBack({ wasRight: true, nowMs: NOW });
    t.equal((await rowsOf(store)).length, 6);
    t.notMatch(JSON.stringify(await rowsOf(store)), /partner|192/);
    await purgeExpired(store, NOW + PACE.pair.drainMs);
    t.match(await rowsOf(store), [{ known_until_ms: NOW + 30 * 24 * 3_600_000 }]);
    await purgeExpired(store, NOW + 30 * 24 * 3_600_000);
    t.strictSame(await rowsOf(store), []);
  });
});
