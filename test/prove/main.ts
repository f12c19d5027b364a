// `npm run prove -- T1 [T2...] [--full] [--json] [--seed N]`: runs the named promises, each beside a control that must fail.
import { randomInt } from 'node:crypto';
import { PROMISES } from './promises.ts';

const args = process.argv.slice(2);
if (args.includes('--help') || args.length === 0) {
  console.log('Usage: npm run prove -- T1 [T2...] [--full] [--json] [--seed N]\n\nPromises:');
  for (const [name, promise] of Object.entries(PROMISES)) console.log(`  ${name.padEnd(4)} ${promise.title}`);
  process.exit(args.length === 0 ? 2 : 0);
}

const isFull = args.includes('--full');
const isJson = args.includes('--json');
const seedAt = args.indexOf('--seed');
const seed = seedAt >= 0 ? Number(args[seedAt + 1]) : randomInt(2 ** 31);
const names = args.filter((arg, index) => !arg.startsWith('--') && (seedAt < 0 || index !== seedAt + 1));

const unknown = names.filter((name) => !Object.hasOwn(PROMISES, name));
if (unknown.length > 0 || !Number.isSafeInteger(seed)) {
  console.error(
    `Unknown: ${unknown.join(', ') || `--seed ${args[seedAt + 1]}`}. Known promises: ${Object.keys(PROMISES).join(', ')}.`,
  );
  process.exit(2);
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
