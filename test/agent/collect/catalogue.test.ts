import { readdirSync } from 'node:fs';
import { CHECK_NAMES, CHECKS } from '@sitewarden/agent-proto/checks';
import t from 'tap';
import { COLLECTORS } from '../../../agent/collect/index.ts';

t.test('every check of the catalogue has one collector and a folder of its own', async (t) => {
  t.strictSame(COLLECTORS.map(({ name }) => name).sort(), [...CHECK_NAMES].sort());
  const folders = readdirSync(new URL('../../../agent/collect', import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  t.strictSame(folders.sort(), [...CHECK_NAMES].sort());
});

t.test('every verdict carries the controls of its check', async (t) => {
  for (const { name, evaluate } of COLLECTORS) t.strictSame(evaluate({}).controls, CHECKS[name].controls, name);
});

t.test('a reason on anything but pass tells what is the matter in whole sentences', async (t) => {
  for (const { name, evaluate } of COLLECTORS) {
    const { reason, expected } = evaluate({ probe_error: 'The probe broke. Mend it.' });
    t.equal(reason, 'The probe broke. Mend it.', name);
    t.not(expected, '', name);
  }
});
