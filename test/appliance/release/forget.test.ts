import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from '@sitewarden/kit/exec';
import { createLogger } from '@sitewarden/kit/log';
import t from 'tap';
import { forgetSite, readLeft, writeLeft } from '../../../appliance/release/index.ts';
import { waitFor } from '../../../scripts/lib/wait.ts';
import { skipWithout } from '../../helpers/needs.ts';
import { applianceAt } from '../../helpers/relay-program.ts';
import { startSystem } from '../../helpers/system.ts';

const LEFT = { siteName: 's', partnerName: 'p', by: 'b', reason: 'r', atMs: 1, receipt: null, isForgotten: false };
const log = createLogger({ name: 'test', level: 'silent' });

t.test('all that the program makes goes or is kept by name, and what others keep in the folder stays', async (t) => {
  const system = await startSystem();
  t.teardown(() => system.close());
  const { staff, siteId, base } = system;
  const dataDir = join(base, 'appliance');
  await waitFor(
    'the first check-in, and the copy of the site',
    async () =>
      ((await applianceAt(staff, siteId))?.lastCheckinAtMs && existsSync(join(dataDir, 'site.json'))) || undefined,
    60_000,
  );
  await system.appliance.stop();
  t.ok(existsSync(join(dataDir, 'uplink-copy.json')));
  for (const folder of ['set-aside-1', '.doctor-1', 'lost+found']) mkdirSync(join(dataDir, folder));
  const aside = ['appliance.db-wal', 'appliance.db.damaged-1', 'appliance.db.damaged-1-wal', '.uplink.json.7-0a.tmp'];
  for (const name of [...aside, 'config.yaml', 'relay-ca.pem']) writeFileSync(join(dataDir, name), '');
  await writeLeft(dataDir, LEFT);
  await forgetSite(dataDir, log);
  const isLock = (name: string) => name.startsWith('appliance.lock');
  t.strictSame(
    readdirSync(dataDir)
      .filter((name) => !isLock(name) && name !== 'run.json')
      .sort(),
    ['config.yaml', 'identity', 'left-site.json', 'lost+found', 'relay-ca.pem'],
  );
  const keys = readdirSync(join(dataDir, 'identity'));
  t.ok(keys.includes('dik.pem'));
  t.notOk(keys.some((name) => /^(site-ca|server)/.test(name)));
});

t.test('keys for evidence and secrets end with the owner, and stay where the box moves for the same one', async (t) => {
  const names = ['dik.pem', 'evk.pem', 'evk.next.pem', 'seal.key', 'site-ca.pem'];
  const folder = () => ({ identity: Object.fromEntries(names.map((name) => [name, ''])) });
  const base = t.testdir({ one: folder(), other: folder() });
  for (const [left, kept] of [
    [LEFT, ['dik.pem']],
    [{ ...LEFT, movesTo: 'Hill road' }, ['dik.pem', 'evk.next.pem', 'evk.pem', 'seal.key']],
  ] as const) {
    const dataDir = join(base, left === LEFT ? 'one' : 'other');
    await writeLeft(dataDir, left);
    await forgetSite(dataDir, log);
    t.strictSame(readdirSync(join(dataDir, 'identity')).sort(), kept);
  }
});

t.test('one entry that cannot be removed does not keep the box from starting', async (t) => {
  if (skipWithout(t, { root: true, tools: ['mount', 'umount'] })) return;
  const dataDir = t.testdir({ identity: {}, 'set-aside-1': {}, 'site.json': '{}', reserve: '' });
  const busy = join(dataDir, 'set-aside-1');
  const mounted = await runTool(['mount', '-t', 'tmpfs', 'tmpfs', busy]);
  t.equal(mounted.ok, true, mounted.stderr);
  await writeLeft(dataDir, LEFT);
  await forgetSite(dataDir, log);
  t.equal((await readLeft(dataDir))?.isForgotten, true);
  t.strictSame(readdirSync(dataDir).sort(), ['identity', 'left-site.json', 'set-aside-1']);
  await runTool(['umount', busy]);
});

t.test('where it would still be the box of that site, it does not go on', async (t) => {
  if (skipWithout(t, { root: true, tools: ['mount', 'umount'] })) return;
  const dataDir = t.testdir({ identity: {}, 'site.json': {}, reserve: '' });
  const busy = join(dataDir, 'site.json');
  const mounted = await runTool(['mount', '-t', 'tmpfs', 'tmpfs', busy]);
  t.equal(mounted.ok, true, mounted.stderr);
  await writeLeft(dataDir, LEFT);
  await t.rejects(forgetSite(dataDir, log), { code: 'EBUSY' });
  t.equal((await readLeft(dataDir))?.isForgotten, false);
  await runTool(['umount', busy]);
  await forgetSite(dataDir, log);
  t.strictSame(readdirSync(dataDir).sort(), ['identity', 'left-site.json']);
});
