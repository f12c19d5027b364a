import type { Facts } from '@sitewarden/agent-proto/agent';
import { type BlockDevice, findDevice } from './block-devices.ts';
import type { LocalMount } from './mounts.ts';

export interface DiskSight {
  readonly mounts: readonly LocalMount[];
  /** Swap areas: devices, or files with the mount that holds them. */
  readonly swaps: readonly string[];
  readonly devices: ReadonlyMap<string, BlockDevice>;
}

const MAX_LISTED = 64;

/** Facts from what the kernel shows. A volume whose device is not seen counts in `volumes` and in nothing else. */
export function assessDisks({ mounts, swaps, devices }: DiskSight): Facts {
  const seen = mounts.map((mount) => ({ mount, device: findDevice(devices, { ...mount, path: mount.source }) }));
  const encrypted = seen.filter(({ device }) => device?.encrypted === true);
  const bare = seen.filter(({ device }) => device?.encrypted === false);
  const hidden = seen.filter(({ device }) => device === undefined);
  const root = seen.find(({ mount }) => mount.mountpoint === '/');
  const facts: Facts = {
    technology: technologyOf(encrypted.map(({ device }) => device!)),
    volumes: seen.length,
    encrypted_volumes: encrypted.length,
    unencrypted_volumes: bare.map(({ mount }) => mount.mountpoint).slice(0, MAX_LISTED),
  };
  if (root?.device !== undefined) facts.root_encrypted = root.device.encrypted;
  const swapStates = swaps.map((path) => swapDevice(path, seen, devices)?.encrypted);
  if (swapStates.includes(false)) facts.swap_encrypted = false;
  else if (swapStates.length > 0 && swapStates.every((state) => state === true)) facts.swap_encrypted = true;
  const problems = [];
  if (hidden.length > 0) {
    const names = hidden.map(({ mount }) => `${mount.mountpoint} (${mount.fsType})`).slice(0, 8);
    problems.push(`The block device under ${names.join(', ')} cannot be seen from here, as in a container.`);
  }
  if (swapStates.includes(undefined)) problems.push('The block device under a swap area cannot be seen.');
  if (problems.length > 0) facts.probe_error = `${problems.join(' ')} Run the agent on the host itself.`;
  return facts;
}

type Seen = { mount: LocalMount; device: BlockDevice | undefined };

/** A swap file is as safe as the volume it lies on: the longest mount point above it. */
function swapDevice(
  path: string,
  seen: readonly Seen[],
  devices: ReadonlyMap<string, BlockDevice>,
): BlockDevice | undefined {
  if (path.startsWith('/dev/')) return findDevice(devices, { path });
  const above = seen.filter(({ mount }) => path.startsWith(mount.mountpoint.replace(/\/?$/, '/')));
  above.sort((a, b) => b.mount.mountpoint.length - a.mount.mountpoint.length);
  return above[0]?.device;
}

function technologyOf(devices: readonly BlockDevice[]): string {
  if (devices.length === 0) return 'none';
  return devices.every((device) => device.luks) ? 'luks' : 'dm-crypt';
}
