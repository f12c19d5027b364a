import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { assessDisks } from '../../../agent/collect/bitlocker/assess.ts';
import { findDevice, parseLsblk } from '../../../agent/collect/bitlocker/block-devices.ts';
import { evaluateBitlocker } from '../../../agent/collect/bitlocker/evaluate.ts';
import { parseMounts, parseSwaps } from '../../../agent/collect/bitlocker/mounts.ts';
import { runOne } from './run-one.ts';

const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');
const LUKS = parseLsblk(fixture('lsblk-luks-lvm.json'))!;

const mountLine = (device: string, mountpoint: string, type: string, source: string) =>
  `36 25 ${device} / ${mountpoint} rw,relatime shared:1 - ${type} ${source} rw`;
const ROOT = mountLine('253:1', '/', 'ext4', '/dev/mapper/vg0-root');

t.test('a LUKS volume under LVM counts as encrypted, the boot partitions do not count', async (t) => {
  const mounts = parseMounts(
    [ROOT, mountLine('259:2', '/boot', 'ext4', '/dev/nvme0n1p2'), mountLine('259:1', '/boot/efi', 'vfat', 'x')].join(
      '\n',
    ),
  );
  const facts = assessDisks({ mounts, swaps: ['/dev/dm-2'], devices: LUKS });
  t.strictSame(facts, {
    technology: 'luks',
    volumes: 1,
    encrypted_volumes: 1,
    unencrypted_volumes: [],
    root_encrypted: true,
    swap_encrypted: true,
  });
  t.equal(evaluateBitlocker(facts).status, 'pass');
});

t.test('a data partition beside it in the clear fails, and is named', async (t) => {
  const mounts = parseMounts([ROOT, mountLine('259:2', '/srv\\040data', 'ext4', '/dev/nvme0n1p2')].join('\n'));
  const facts = assessDisks({ mounts, swaps: [], devices: LUKS });
  t.strictSame(facts.unencrypted_volumes, ['/srv data']);
  t.equal(evaluateBitlocker(facts).status, 'fail');
});

t.test('a mirror with one half in the clear is in the clear', async (t) => {
  const devices = parseLsblk(fixture('lsblk-half-raid.json'))!;
  t.equal(devices.get('253:0')?.encrypted, true);
  t.equal(devices.get('9:0')?.encrypted, false);
});

t.test('btrfs shows an anonymous device number and is found by its source', async (t) => {
  const mounts = parseMounts(
    [
      mountLine('0:35', '/', 'btrfs', '/dev/mapper/vg0-root'),
      mountLine('0:35', '/home', 'btrfs', '/dev/mapper/vg0-root'),
    ].join('\n'),
  );
  t.equal(mounts.length, 1, 'subvolumes of one device count once');
  t.equal(assessDisks({ mounts, swaps: [], devices: LUKS }).root_encrypted, true);
});

t.test('a container root is unknown, never pass', async (t) => {
  const overlay = mountLine('0:120', '/', 'overlay', 'overlay');
  const etcHosts = mountLine('253:1', '/etc/hosts', 'ext4', '/dev/mapper/vg0-root');
  const facts = assessDisks({ mounts: parseMounts(`${overlay}\n${etcHosts}`), swaps: [], devices: LUKS });
  const verdict = evaluateBitlocker(facts);
  t.equal(verdict.status, 'unknown');
  t.match(verdict.reason, /cannot be seen/);
});

t.test('a swap file is as safe as the volume it lies on; zram is memory', async (t) => {
  const mounts = parseMounts([ROOT, mountLine('259:2', '/data', 'ext4', '/dev/nvme0n1p2')].join('\n'));
  const swaps = parseSwaps('Filename Type Size\n/dev/zram0 partition 1\n/swap\\040file file 1\n');
  t.strictSame(swaps, ['/swap file']);
  t.equal(assessDisks({ mounts, swaps, devices: LUKS }).swap_encrypted, true);
  t.equal(assessDisks({ mounts, swaps: ['/data/swap'], devices: LUKS }).swap_encrypted, false);
  t.match(assessDisks({ mounts, swaps: ['/dev/sdz9'], devices: LUKS }).probe_error, /swap/);
});

t.test('external disks count, folders of container engines do not', async (t) => {
  const points = parseMounts(
    [
      mountLine('8:33', '/run/media/mary/stick', 'vfat', '/dev/sdc1'),
      mountLine('0:50', '/var/lib/docker/overlay2/x/merged', 'overlay', 'overlay'),
      mountLine('0:51', '/run/containerd/y', 'overlay', 'overlay2'),
      mountLine('7:1', '/snap/core/1', 'squashfs', '/dev/loop1'),
      mountLine('0:52', '/mnt/nas', 'nfs4', 'nas:/x'),
    ].join('\n'),
  ).map(({ mountpoint }) => mountpoint);
  t.strictSame(points, ['/run/media/mary/stick']);
});

t.test('texts that are not what they should be give no device and no crash', async (t) => {
  for (const text of ['', 'null', '[]', '{"blockdevices":7}', '{"blockdevices":[null,{"maj:min":3}]}', '{']) {
    t.equal(parseLsblk(text)?.size ?? 0, 0, text);
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseMounts(text);
      parseSwaps(text);
      parseLsblk(text);
    }),
  );
  t.equal(findDevice(LUKS, { path: 'overlay' }), undefined);
});

t.test('on this machine the verdict agrees with what the kernel shows of the root device', async (t) => {
  const [outcome] = await runOne('bitlocker');
  const root = /^(\d+) \d+ (\d+:\d+) \/ \/ /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'));
  t.not(outcome?.status, undefined);
  const uuid = (() => {
    try {
      return readFileSync(`/sys/dev/block/${root?.[2]}/dm/uuid`, 'utf8');
    } catch {
      return '';
    }
  })();
  if (outcome?.facts.root_encrypted === true) t.match(uuid, /CRYPT|LVM/);
  else t.not(outcome?.status, 'pass');
});
