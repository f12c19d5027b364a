import { randomInt } from 'node:crypto';
import t from 'tap';
import { type Needs, skipWithout } from '../../helpers/needs.ts';
import { PROMISES } from '../promises.ts';

/** The quick form of a proof as a test: it must hold, and its control must not. */
export function proveQuickly(name: keyof typeof PROMISES, needs: Needs = {}): void {
  const { title, load } = PROMISES[name];
  t.test(`${name}: ${title}`, async (t) => {
    if (skipWithout(t, needs)) return;
    const seed = randomInt(2 ** 31);
    const { cases, failures, control, detail = '' } = await (await load()).run({ full: false, seed });
    t.ok(cases > 0, 'something was tried');
    t.equal(failures, 0, `${detail} (npm run prove -- ${name} --seed ${seed})`);
    t.ok(control.failed, `the control fails: ${control.detail}`);
  });
}
