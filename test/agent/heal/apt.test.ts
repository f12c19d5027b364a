import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { skipWithout } from '../../helpers/needs.ts';
import { giveOrders } from '../helpers/give-orders.ts';

t.setTimeout(180_000);

const HOUR_MS = 3_600_000;
const around = { window_start_ms: Date.now() - HOUR_MS, window_end_ms: Date.now() + HOUR_MS };
const later = { window_start_ms: Date.now() + HOUR_MS, window_end_ms: Date.now() + 2 * HOUR_MS };

/** apt's and dpkg's folders are covered by empty ones of the test, in a mount namespace that ends with the process. */
const SCENE = `set -e
export PATH="$PATH:/usr/sbin:/sbin"
root="$1"; shift
for dir in etc/apt var/lib/apt var/lib/dpkg var/cache/apt var/log; do mount --bind "$root/$dir" "/$dir"; done
dpkg -i "$root"/old/*.deb >/dev/null
exec "$@"
`;

interface Package {
  readonly name: string;
  /** Of the version that is to be installed. */
  readonly postinst?: string;
}

/** A workstation with old versions, and an archive that calls itself one of security updates and has new ones. */
function makeMachine(
  t: { teardown(fn: () => void): void },
  packages: readonly Package[],
): { root: string; scene: string[] } {
  const root = mkdtempSync(join(tmpdir(), 'sitewarden-apt-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const archive = join(root, 'debian-security');
  for (const dir of [
    'etc/apt/apt.conf.d',
    'etc/apt/preferences.d',
    'etc/apt/trusted.gpg.d',
    'etc/apt/sources.list.d',
  ]) {
    mkdirSync(join(root, dir), { recursive: true });
  }
  for (const dir of ['info', 'updates', 'triggers', 'alternatives', 'parts']) {
    mkdirSync(join(root, 'var/lib/dpkg', dir), { recursive: true });
  }
  for (const dir of ['var/lib/apt/lists/partial', 'var/cache/apt/archives/partial', 'var/log/apt', 'old', 'agent']) {
    mkdirSync(join(root, dir), { recursive: true });
  }
  mkdirSync(archive);
  writeFileSync(join(root, 'var/lib/dpkg/status'), '');
  writeFileSync(join(root, 'etc/apt/apt.conf.d/99-test'), 'APT::Sandbox::User "root";\n');
  writeFileSync(join(root, 'etc/apt/sources.list'), `deb [trusted=yes] file:${archive} ./\n`);
  for (const { name, postinst } of packages) {
    build(root, join(root, 'old'), { name, version: '1.0' });
    build(root, archive, { name, version: '1.1', postinst });
  }
  const index = execFileSync('dpkg-scanpackages', ['.'], { cwd: archive, stdio: ['ignore', 'pipe', 'ignore'] });
  writeFileSync(join(archive, 'Packages'), index);
  const hash = createHash('sha256').update(index).digest('hex');
  const head = 'Origin: Debian\nLabel: Debian-Security\nSuite: stable-security\nVersion: 12\n';
  const date = new Date().toUTCString().replace('GMT', 'UTC');
  writeFileSync(join(archive, 'Release'), `${head}Date: ${date}\nSHA256:\n ${hash} ${index.length} Packages\n`);
  const script = join(root, 'scene.sh');
  writeFileSync(script, SCENE);
  return { root, scene: ['unshare', '-m', 'sh', script, root] };
}

function build(
  root: string,
  folder: string,
  one: { name: string; version: string; postinst?: string | undefined },
): void {
  const { name, version, postinst } = one;
  const source = mkdtempSync(join(root, 'build-'));
  mkdirSync(join(source, 'DEBIAN'), { mode: 0o755 });
  const fields = { Package: name, Version: version, Architecture: 'all', Maintainer: 'T <t@example.invalid>' };
  const control = Object.entries({ ...fields, Description: 'empty' }).map(([key, value]) => `${key}: ${value}\n`);
  writeFileSync(join(source, 'DEBIAN/control'), control.join(''));
  if (postinst !== undefined) writeFileSync(join(source, 'DEBIAN/postinst'), postinst, { mode: 0o755 });
  execFileSync('chmod', ['0755', source, join(source, 'DEBIAN')]);
  execFileSync('dpkg-deb', ['--build', '--root-owner-group', source, folder], { stdio: 'ignore' });
}

const versions = (root: string): Record<string, string> =>
  Object.fromEntries(
    [
      ...readFileSync(join(root, 'var/lib/dpkg/status'), 'utf8').matchAll(/^Package: (\S+)[\s\S]*?^Version: (\S+)/gm),
    ].map(([, name, version]) => [name!, version!]),
  );

const NEEDS = { tools: ['apt-get', 'dpkg', 'dpkg-deb', 'dpkg-scanpackages', 'unshare'], root: true };

t.test('apt is asked what there is, and security updates are installed in the window alone', async (t) => {
  if (skipWithout(t, NEEDS)) return;
  const { root, scene } = makeMachine(t, [{ name: 'sitewarden-one' }, { name: 'sitewarden-two' }]);
  const [blind, dryScan, scan, dry, early, installed, again] = await giveOrders(
    {
      dir: join(root, 'agent'),
      orders: [
        ['security_updates_install', around],
        ['security_updates_scan', { dry_run: true }],
        ['security_updates_scan'],
        ['security_updates_install', { ...later, dry_run: true }],
        ['security_updates_install', later],
        ['security_updates_install', around],
        ['security_updates_install', around],
      ],
    },
    scene,
  );
  t.match(
    blind,
    { state: 'refused', code: 'STATE_UNKNOWN', before: { manager: 'apt' } },
    'without lists nothing is known',
  );
  t.match(dryScan, { state: 'done', detail: /^Dry run.* apt-get -q -o APT::Update::Error-Mode=any update\.$/ });
  t.match(scan, { state: 'done', detail: '2 security update(s) wait.', after: { pending_security: 2 } });
  t.match(dry, {
    state: 'done',
    after: { pending_security: 2 },
    detail: /--download-only install --only-upgrade -- sitewarden-/,
  });
  t.match(early, { state: 'refused', code: 'OUTSIDE_WINDOW', before: { pending_security: 2 } });
  t.match(installed, { state: 'done', before: { pending_security: 2 }, after: { pending_security: 0 } });
  t.match(again, { state: 'done', detail: /^Nothing to do: no security update waits/ });
  t.strictSame(versions(root), { 'sitewarden-one': '1.1', 'sitewarden-two': '1.1' });
});

t.test('a package that cannot be installed does not keep the others waiting, and is not passed over', async (t) => {
  if (skipWithout(t, NEEDS)) return;
  const broken = { name: 'sitewarden-broken', postinst: '#!/bin/sh\nexit 1\n' };
  const { root, scene } = makeMachine(t, [broken, { name: 'sitewarden-two' }]);
  const [, installed] = await giveOrders(
    { dir: join(root, 'agent'), orders: [['security_updates_scan'], ['security_updates_install', around]] },
    scene,
  );
  t.match(versions(root), { 'sitewarden-two': '1.1' });
  t.match(installed, { state: 'failed', code: 'TOOL_FAILED', detail: /^dpkg left a package half installed/ });
});

t.test('an archive that does not answer is a scan that failed', async (t) => {
  if (skipWithout(t, NEEDS)) return;
  const { root, scene } = makeMachine(t, [{ name: 'sitewarden-one' }]);
  rmSync(join(root, 'debian-security'), { recursive: true });
  const [scan] = await giveOrders({ dir: join(root, 'agent'), orders: [['security_updates_scan']] }, scene);
  t.match(scan, { state: 'failed', code: 'TOOL_FAILED', detail: /^apt-get failed with exit code 100/ });
});
