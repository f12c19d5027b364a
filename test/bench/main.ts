// `npm run bench -- [NAME...] [--json]`: every figure beside a control measured in the same run.
import { BENCHES } from './benches.ts';

const args = process.argv.slice(2);
const isJson = args.includes('--json');
const names = args.filter((arg) => !arg.startsWith('--'));
if (args.includes('--help')) {
  console.log('Usage: npm run bench -- [NAME...] [--json]\n\nBenchmarks:');
  for (const [name, bench] of Object.entries(BENCHES)) console.log(`  ${name.padEnd(18)} ${bench.title}`);
  process.exit(0);
}
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(', ')}. Known benchmarks: ${Object.keys(BENCHES).join(', ')}.`);
  process.exit(2);
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
