// `npm run bench -- [NAME...] [--json]`: every figure beside a control measured in the same run.
import { parseArgs } from 'node:util';
import { BENCHES } from './benches.ts';

const USAGE = [
  'Usage: npm run bench -- [NAME...] [--json]',
  '',
  'Without a name all of them run. Benchmarks:',
  ...Object.entries(BENCHES).map(([name, { title }]) => `  ${name.padEnd(18)} ${title}`),
].join('\n');

const { names, isJson } = options(process.argv.slice(2));

function options(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      strict: true,
      options: {
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const unknown = positionals.filter((name) => !Object.hasOwn(BENCHES, name));
    if (unknown.length > 0) throw new Error(`Unknown: ${unknown.join(', ')}.`);
    return { names: positionals, isJson: values.json };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
  const { run } = await BENCHES[name as keyof typeof BENCHES].load();
  for (const figure of await run()) {
    console.log(
      isJson
        ? JSON.stringify(figure)
        : `${figure.name}: ${figure.value} ${figure.unit}${figure.control === null ? '' : `, control ${figure.control} ${figure.unit}, ratio ${figure.ratio}`}${figure.note ? ` (${figure.note})` : ''}`,
    );
  }
}
process.exit(0);
