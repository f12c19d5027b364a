import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { wholeDays } from '../../../agent/collect/age.ts';
import { isSecurityRelease, parseAptSimulation } from '../../../agent/collect/patches/apt.ts';
import { parseDnfAdvisories, parseDnfUpdates, pendingOf } from '../../../agent/collect/patches/dnf.ts';
import { skipWithout } from '../../helpers/needs.ts';
import { runOne } from './run-one.ts';

t.test('apt: security archives are told from the others, names come security first', async (t) => {
  const text = readFileSync(new URL('./fixtures/apt-debian12.txt', import.meta.url), 'utf8');
  t.strictSame(parseAptSimulation(text), {
    security: 4,
    total: 7,
    names: ['libgcrypt20-dev', 'libgcrypt20', 'liblzma5', 'libssl3', 'base-files', 'bash', 'libpam-modules-bin'],
  });
});

t.test('apt: Ubuntu, its extended support and new packages count', async (t) => {
  const lines = [
    'Inst openssl [3.0.2-0ubuntu1.10] (3.0.2-0ubuntu1.18 Ubuntu:22.04/jammy-updates, Ubuntu:22.04/jammy-security [amd64])',
    'Inst tzdata [2024a] (2024b Ubuntu:22.04/jammy-updates [all])',
    'Inst imagemagick [6] (6+esm1 UbuntuESMApps:22.04/jammy-apps-security [amd64])',
    'Inst linux-image-6.1.0-30-amd64 (6.1.124-1 Debian-Security:12/stable-security [amd64])',
    'Inst odd [1] (2 Security-Lover:1/stable [all])',
    'Conf openssl (3.0.2-0ubuntu1.18 Ubuntu:22.04/jammy-security [amd64])',
  ];
  t.match(parseAptSimulation(lines.join('\n')), { security: 3, total: 5 });
});

t.test('apt: release files of security archives are known by their names', async (t) => {
  for (const [name, is] of [
    ['deb.debian.org_debian-security_dists_bookworm-security_InRelease', true],
    ['security.ubuntu.com_ubuntu_dists_jammy-security_InRelease', true],
    ['deb.debian.org_debian-security_dists_buster_updates_Release', true],
    ['deb.debian.org_debian_dists_bookworm_InRelease', false],
    ['deb.debian.org_debian-security_dists_bookworm-security_main_binary-amd64_Packages.lz4', false],
    ['security.ubuntu.com_ubuntu_dists_jammy-security_Release.gpg', false],
  ] as const) {
    t.equal(isSecurityRelease(name), is, name);
  }
});

t.test('dnf: advisories count packages once, updates are counted beside them', async (t) => {
  const advisories = parseDnfAdvisories(
    [
      'RLSA-2024:1234 Important/Sec. openssl-libs-1:3.0.7-27.el9.x86_64',
      'RLSA-2024:1240 Moderate/Sec.  openssl-libs-1:3.0.7-28.el9.x86_64',
      'FEDORA-2024-aa security Critical kernel-core-6.8.5-301.fc40.x86_64 2024-04-12',
      'Last metadata expiration check: 0:10:00 ago',
    ].join('\n'),
  );
  t.strictSame(advisories, ['openssl-libs', 'kernel-core']);
  const updates = parseDnfUpdates(
    '\nopenssl-libs.x86_64   1:3.0.7-28.el9   baseos\nvim-minimal.x86_64  2:8.2  baseos\nObsoleting Packages\nold.noarch 1 x\n',
  );
  t.strictSame(updates, ['openssl-libs', 'vim-minimal']);
  t.match(pendingOf(advisories, updates), { security: 2, total: 3 });
});

t.test('no text makes a parser throw', async (t) => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseAptSimulation(`Inst ${text}`);
      parseDnfAdvisories(text);
      parseDnfUpdates(text);
    }),
  );
  t.pass();
});

t.test('an age in the future is unknown, unless the clocks differ by less than a day', async (t) => {
  t.equal(wholeDays(-3_600_000), 0);
  t.equal(wholeDays(-90_000_000), undefined);
  t.equal(wholeDays(Number.NaN), undefined);
  t.equal(wholeDays(7 * 86_400_000 + 5), 7);
});

t.test('on this machine the count agrees with apt', async (t) => {
  if (skipWithout(t, { tools: ['apt-get'] })) return;
  const output = execFileSync('apt-get', ['-s', '-o', 'Debug::NoLocking=true', 'dist-upgrade'], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const total = output.split('\n').filter((line) => line.startsWith('Inst ')).length;
  const [outcome] = await runOne('patches');
  if (/in time/.test(outcome?.reason ?? '')) {
    t.equal(outcome?.status, 'unknown', 'on a busy machine apt takes longer than the agent waits');
    return;
  }
  t.match(outcome?.facts, { manager: 'apt', pending_total: total });
  if ((outcome?.facts.pending_security as number) > 0) t.equal(outcome?.status, 'fail');
  else t.not(outcome?.status, undefined);
});
