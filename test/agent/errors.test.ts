import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { agentErrors } from '../../agent/errors.ts';

const ROOT = fileURLToPath(new URL('../../agent', import.meta.url));

t.test('every code of the table is raised somewhere, and every sentence names a next step', async (t) => {
  const sources = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== 'errors.ts' && !name.startsWith('node_modules'))
    .map((name) => readFileSync(join(ROOT, name), 'utf8'))
    .join('\n');
  for (const code of agentErrors.codes) {
    t.ok(sources.includes(`'${code}'`), code);
    const sentences = agentErrors.table[code].message.split(/[.;]\s/);
    t.ok(sentences.length >= 2, `${code}: what happened, and what to do`);
  }
});
