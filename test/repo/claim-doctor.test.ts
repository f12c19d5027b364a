import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DOCTOR_CODES } from '../../appliance/doctor/index.ts';
import { ROOT } from './sources.ts';

t.test('every finding of the claim doctor is told, and none that is not there', async (t) => {
  const page = readFileSync(join(ROOT, 'docs', 'operations', 'claim-doctor.md'), 'utf8');
  const told = [...page.matchAll(/^\| \w+ \| `([A-Z_]+)` \|/gm)].map((match) => match[1] as string);
  t.strictSame(told.sort(), [...DOCTOR_CODES].sort());
});
