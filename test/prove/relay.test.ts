import { randomInt } from 'node:crypto';
import t from 'tap';
import { PROMISES } from './promises.ts';

/** The promises of the relay in their quick form; `npm run prove -- T12 --full` reaches the figures. */
for (const name of ['T12', 'T24', 'T25'] as const) {
  const { title, load } = PROMISES[name];
  t.test(`${name}: ${title}`, async (t) => {
    const seed = randomInt(2 ** 31);
    t.comment(`seed ${seed}`);
    const { cases, failures, control, detail } = await (await load()).run({ full: false, seed });
    t.ok(cases > 0, `${cases} cases`);
    t.equal(failures, 0, detail ?? '');
    t.equal(control.failed, true, control.detail);
  });
}
