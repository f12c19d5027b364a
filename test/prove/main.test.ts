import { join } from 'node:path';
import t from 'tap';
import { runScript } from '../helpers/run-script.ts';
import { PROMISES } from './promises.ts';

const prove = (...args: string[]) => runScript(join(import.meta.dirname, 'main.ts'), ...args);

for (const args of [[], ['--json'], ['--full', '--seed', '7']]) {
  t.test(`with no promise named nothing is proved: ${args.join(' ') || '(nothing)'}`, async (t) => {
    const { code, out, err } = await prove(...args);
    t.match({ code, out }, { code: 2, out: '' });
    for (const name of Object.keys(PROMISES)) t.match(err, name);
  });
}

for (const args of [['T11', '--fulll'], ['T11', '--seed', 'x'], ['T11', '--seed'], ['T0']]) {
  t.test(`what is not known runs no proof: ${args.join(' ')}`, async (t) => {
    const { code, out, err } = await prove(...args);
    t.match({ code, out }, { code: 2, out: '' });
    t.match(err, args.at(-1) as string);
    t.match(err, /Usage: npm run prove/);
  });
}

t.test('--help lists the promises', async (t) => {
  const { code, out } = await prove('--help');
  t.equal(code, 0);
  for (const { title } of Object.values(PROMISES)) t.match(out, title);
});
