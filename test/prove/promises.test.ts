import { readdirSync } from 'node:fs';
import t from 'tap';
import { PROMISES } from './promises.ts';

t.test('every promise with a proof is tested, and every proof is on the list', async (t) => {
  const files = readdirSync(import.meta.dirname);
  const named = (pattern: RegExp) => files.flatMap((file) => pattern.exec(file)?.[1]?.toUpperCase() ?? []).sort();
  const listed = Object.keys(PROMISES).sort();
  t.strictSame(named(/^(t\d+)\.test\.ts$/), listed);
  t.strictSame(named(/^(t\d+)\.ts$/), listed);
});
