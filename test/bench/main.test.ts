import { join } from 'node:path';
import t from 'tap';
import { runScript } from '../helpers/run-script.ts';
import { BENCHES } from './benches.ts';
import { figureOf, median } from './lib/figures.ts';

const bench = (...args: string[]) => runScript(join(import.meta.dirname, 'main.ts'), ...args);

t.test('a figure stands beside its control, measured in the same run', async (t) => {
  const { code, out, err } = await bench('evidence-append', '--json');
  t.equal(code, 0, err);
  const figure = JSON.parse(out);
  t.match(figure, { name: 'evidence-append', unit: 'entries/s', value: Number, control: Number, note: String });
  t.ok(figure.value > 0 && figure.control > 0);
  t.ok(Math.abs(figure.ratio - figure.value / figure.control) < 0.001);
});

t.test('the benchmarks are listed, and one nobody knows is named', async (t) => {
  const { out } = await bench('--help');
  for (const name of Object.keys(BENCHES)) t.match(out, name);
  const { code, err } = await bench('nothing');
  t.equal(code, 2);
  t.match(err, 'nothing');
});

t.test('an option nobody knows runs no benchmark', async (t) => {
  const { code, out, err } = await bench('evidence-append', '--jsn');
  t.match({ code, out }, { code: 2, out: '' });
  t.match(err, /--jsn/);
  t.match(err, /Usage: npm run bench/);
});

t.test('medians, of rounds taken in turn', async (t) => {
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([4, 1, 2, 3]), 2.5);
  t.throws(() => median([]));
  t.match(figureOf({ name: 'x', unit: 's', values: [1, 2, 3], controls: [4, 4, 4] }), {
    value: 2,
    control: 4,
    ratio: 0.5,
    note: '3 rounds in turn',
  });
});
