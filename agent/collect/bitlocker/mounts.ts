export interface LocalMount {
  readonly mountpoint: string;
  readonly fsType: string;
  readonly source: string;
  /** Kernel device number, `254:0`. btrfs and overlay show an anonymous `0:N`. */
  readonly device: string;
}

/** File systems that keep data on a disk of this machine, and the layered ones that hide which disk that is. */
const LOCAL_TYPES = new Set(
  'ext2 ext3 ext4 xfs btrfs f2fs jfs reiserfs bcachefs zfs ntfs ntfs3 fuseblk exfat vfat overlay aufs'.split(' '),
);
/** The firmware and the boot loader must read these before any key is there; no user data belongs on them. */
const BOOT_MOUNTS = /^\/(boot|efi)(\/.*)?$/;
/** Image layers of container engines: data written there lands on the volume that holds the engine's folder. */
const ENGINE_MOUNTS = /^\/(?:var\/lib\/(?:docker|containers|containerd|kubelet)\/|run\/(?!media\/)|snap\/)/;

/** Local volumes of /proc/self/mountinfo, one per device, first mount point wins. */
export function parseMounts(mountinfo: string): LocalMount[] {
  const byDevice = new Map<string, LocalMount>();
  for (const line of mountinfo.split('\n')) {
    const mount = parseLine(line);
    if (mount === undefined || !LOCAL_TYPES.has(mount.fsType)) continue;
    if (BOOT_MOUNTS.test(mount.mountpoint) || ENGINE_MOUNTS.test(mount.mountpoint)) continue;
    const key = mount.device.startsWith('0:') ? `${mount.source} ${mount.fsType}` : mount.device;
    const known = byDevice.get(key);
    if (known === undefined || mount.mountpoint === '/') byDevice.set(key, mount);
  }
  return [...byDevice.values()];
}

/** Swap areas of /proc/swaps: `/dev/dm-1` or `/swapfile`. zram lives in memory and is left out. */
export function parseSwaps(swaps: string): string[] {
  return swaps
    .split('\n')
    .slice(1)
    .map((line) => unescapeOctal(line.split(/\s+/)[0] ?? ''))
    .filter((path) => path.startsWith('/') && !/^\/dev\/zram\d+$/.test(path));
}

/** `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`: optional fields end at the lone hyphen. */
function parseLine(line: string): LocalMount | undefined {
  const [before, after] = line.split(' - ');
  const fields = before?.split(' ') ?? [];
  const [fsType, source] = after?.split(' ') ?? [];
  const [, , device, , mountpoint] = fields;
  if (!device || !mountpoint || !fsType || source === undefined) return undefined;
  return { mountpoint: unescapeOctal(mountpoint), fsType, source: unescapeOctal(source), device };
}

/** The kernel writes space, tab, newline and backslash as octal. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
