import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { isTrimDue } from '../../kit/memory/index.ts';

const KIT = join(import.meta.dirname, '..', '..', 'kit', 'memory', 'index.ts');

t.test('trims an idle process with a large young generation, and no other', async (t) => {
  const large = 64 * 1024 * 1024;
  t.equal(isTrimDue({ busyShare: 0.01, youngBytes: large }), true);
  t.equal(isTrimDue({ busyShare: 0.5, youngBytes: large }), false);
  t.equal(isTrimDue({ busyShare: 0.01, youngBytes: 1024 * 1024 }), false);
});

t.test('what a burst took goes back to the system', async (t) => {
  const script = `
    const { trimMemory } = await import(${JSON.stringify(KIT)});
    let kept = [];
    for (let round = 0; round < 200; round += 1) kept = Array.from({ length: 40_000 }, (_, i) => ({ i, round }));
    kept = [];
    const before = process.memoryUsage.rss();
    trimMemory();
    console.log(JSON.stringify({ before, after: process.memoryUsage.rss(), isHidden: typeof gc === 'undefined' }));`;
  const { NODE_OPTIONS: _options, ...env } = process.env;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' });
  const { before, after, isHidden } = JSON.parse(out);
  t.ok(after < before - 10_000_000, `${before} bytes before, ${after} after`);
  t.ok(isHidden, 'the program does not get to see the collector');
});
