interface LsblkNode {
  readonly name?: unknown;
  readonly kname?: unknown;
  readonly path?: unknown;
  readonly type?: unknown;
  readonly fstype?: unknown;
  readonly 'maj:min'?: unknown;
  readonly children?: unknown;
}

export interface BlockDevice {
  readonly device: string;
  readonly names: readonly string[];
  /** Encrypted under every parent it stands on: half a RAID in the clear is in the clear. */
  readonly encrypted: boolean;
  readonly luks: boolean;
}

export const LSBLK_COLUMNS = 'NAME,KNAME,PATH,TYPE,FSTYPE,MAJ:MIN,PKNAME';

/** Block devices of `lsblk --json` by device number; undefined when the text is not lsblk's JSON. */
export function parseLsblk(json: string): Map<string, BlockDevice> | undefined {
  let root: { blockdevices?: unknown };
  try {
    root = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!Array.isArray(root?.blockdevices)) return undefined;
  const found = new Map<string, BlockDevice>();
  visit(root.blockdevices, { encrypted: false, luks: false }, found);
  return found;
}

function visit(nodes: unknown, above: { encrypted: boolean; luks: boolean }, found: Map<string, BlockDevice>): void {
  if (!Array.isArray(nodes)) return;
  for (const node of nodes as LsblkNode[]) {
    const device = text(node?.['maj:min'])?.trim();
    if (device === undefined) continue;
    const encrypted = above.encrypted || node.type === 'crypt';
    const luks = above.luks || node.fstype === 'crypto_LUKS';
    const before = found.get(device);
    found.set(device, {
      device,
      names: [text(node.path), text(node.kname), text(node.name)].filter((name) => name !== undefined),
      encrypted: encrypted && (before?.encrypted ?? true),
      luks: luks && (before?.luks ?? true),
    });
    visit(node.children, { encrypted, luks }, found);
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The device behind a mount or swap: by number, else (btrfs) by the path it was mounted from. */
export function findDevice(
  devices: ReadonlyMap<string, BlockDevice>,
  wanted: { device?: string; path: string },
): BlockDevice | undefined {
  const byNumber = wanted.device === undefined ? undefined : devices.get(wanted.device);
  if (byNumber !== undefined) return byNumber;
  const name = wanted.path.replace(/^\/dev\//, '');
  if (name === wanted.path) return undefined;
  for (const device of devices.values()) {
    if (device.names.includes(wanted.path) || device.names.includes(name)) return device;
  }
  return undefined;
}
