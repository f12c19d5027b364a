// `npm run prove -- T1 [T2...] [--full] [--json] [--seed N]`: runs the named promises, each beside a control that must fail.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { PROMISES } from './promises.ts';

const USAGE = [
  'Usage: npm run prove -- T1 [T2...] [--full] [--json] [--seed N]',
  '',
  'Promises:',
  ...Object.entries(PROMISES).map(([name, { title }]) => `  ${name.padEnd(4)} ${title}`),
].join('\n');

const { names, isFull, isJson, seed } = options(process.argv.slice(2));

function options(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      strict: true,
      options: {
        full: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        seed: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
    if (values.seed?.trim() === '' || !Number.isSafeInteger(seed)) throw new Error(`Unknown: --seed ${values.seed}.`);
    const unknown = positionals.filter((name) => !Object.hasOwn(PROMISES, name));
    if (unknown.length > 0) throw new Error(`Unknown: ${unknown.join(', ')}.`);
    if (positionals.length === 0) throw new Error('Name at least one promise.');
    return { names: positionals, isFull: values.full, isJson: values.json, seed };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

let failed = 0;
for (const name of names) {
  const promise = PROMISES[name as keyof typeof PROMISES];
  const startedAt = performance.now();
  try {
    const { run } = await promise.load();
    const result = await run({ full: isFull, seed });
    // A control that holds means that the proof cannot tell a kept promise from a broken one.
    const isKept = result.cases > 0 && result.failures === 0 && result.control.failed;
    if (!isKept) failed += 1;
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    console.log(
      isJson
        ? JSON.stringify({ promise: name, ...result, seed, seconds })
        : `${name} ${isKept ? 'kept' : 'BROKEN'}: ${result.cases} cases, ${result.failures} failures; control ${result.control.failed ? 'fails as it must' : 'DOES NOT FAIL'} (${result.control.detail}); ${seconds} s, seed ${seed}`,
    );
  } catch (error) {
    failed += 1;
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    console.log(
      isJson
        ? JSON.stringify({ promise: name, cases: 0, failures: 1, error: message, seed })
        : `${name} BROKEN: ${message}`,
    );
  }
}
process.exit(failed === 0 ? 0 : 1);
