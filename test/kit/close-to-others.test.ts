import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { closeToOthers, listOpenToOthers } from '@sitewarden/kit/files';
import t from 'tap';

t.test('what others have rights to is told, and closed to them', async (t) => {
  const dir = join(t.testdir({ keys: { 'a.pem': 'a', 'b.pem': 'b' } }), 'keys');
  chmodSync(dir, 0o755);
  chmodSync(join(dir, 'a.pem'), 0o644);
  chmodSync(join(dir, 'b.pem'), 0o600);
  const expected = [
    { path: dir, mode: '0755' },
    { path: join(dir, 'a.pem'), mode: '0644' },
  ];
  t.strictSame(await listOpenToOthers(dir), expected);
  t.strictSame(await closeToOthers(dir), expected);
  t.equal(statSync(dir).mode & 0o777, 0o700);
  t.equal(statSync(join(dir, 'a.pem')).mode & 0o777, 0o600);
  t.strictSame(await listOpenToOthers(dir), []);
  t.strictSame(await listOpenToOthers(join(dir, 'nowhere')), []);
});
