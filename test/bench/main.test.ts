import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { nodeCommand, programEnvironment } from '../../scripts/lib/programs.ts';
import { BENCHES } from './benches.ts';
import { figureOf, median } from './lib/figures.ts';

async function bench(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [command, ...rest] = nodeCommand([join(import.meta.dirname, 'main.ts'), ...args]);
  const child = spawn(command, rest, { env: programEnvironment() });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const [code] = await once(child, 'close');
  return { code: code as number, out, err };
}

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
