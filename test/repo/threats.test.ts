import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PROMISES } from '../prove/promises.ts';
import { ROOT } from './sources.ts';

const DOC = readFileSync(join(ROOT, 'docs/protocols/threats.md'), 'utf8');

t.test('every defence of the table names proofs that exist', async (t) => {
  const rows = DOC.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| attack'));
  t.ok(rows.length > 10);
  for (const row of rows) {
    const [attack = '', , proofs = ''] = row.split('|').slice(1, -1);
    const named = proofs.split(',').map((one) => one.trim());
    for (const one of named) {
      const exists = /^T\d+$/.test(one) ? Object.hasOwn(PROMISES, one) : existsSync(join(ROOT, one));
      t.ok(exists, `${attack.trim()}: ${one}`);
    }
  }
});
