import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startAppliance } from '../../helpers/appliance.ts';

t.test('a key that others may read is closed to them at the next start, and that is said', async (t) => {
  const dataDir = join(t.testdir(), 'data');
  await (await startAppliance({ dataDir, logLevel: 'warn' })).stop();
  const key = join(dataDir, 'identity', 'dik.pem');
  chmodSync(key, 0o644);
  const lines: string[] = [];
  const box = await startAppliance({ dataDir, logLevel: 'warn', onLine: (line) => lines.push(line) });
  t.teardown(() => box.stop());
  t.equal(statSync(key).mode & 0o777, 0o600);
  const said = lines.filter((line) => /had rights to this key file/.test(line));
  t.equal(said.length, 1);
  t.match(JSON.parse(said[0]!), { path: key, mode: '0644' });
});
