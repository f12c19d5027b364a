import { isDeepStrictEqual } from 'node:util';
import type { DeviceRecord } from '../store/devices.ts';
import type { Observation, Probe } from './types.ts';

export const MAX_DEVICES = 4096;
/** `last_seen` alone is written (and told) this often at the most. */
export const SEEN_EVERY_MS = 5 * 60 * 1000;
const MAX_ADDRESSES = 16;
const MAX_SERVICES = 32;

export interface Merge {
  /** New ones, and known ones with something to write. */
  readonly puts: readonly DeviceRecord[];
  /** Devices without a MAC that turned out to be another one. */
  readonly removedIds: readonly string[];
  /** New devices there was no room for. */
  readonly refused: number;
}

/**
 * What the observations change about the known devices. Pure, apart from `newId`. A MAC on a network is one device. Where
 * only the address is known, it is the device that has the address now; a MAC learnt later is added to it.
 */
export function merge(
  known: readonly DeviceRecord[],
  observations: readonly Observation[],
  newId: () => string,
): Merge {
  const table = new Table(known);
  let refused = 0;
  for (const seen of withoutExcess(observations)) {
    const device = table.find(seen);
    if (device !== undefined) table.update(device, seen);
    else if (table.size < MAX_DEVICES) table.add(newId(), seen);
    else refused += 1;
  }
  return { ...table.outcome(), refused };
}

/**
 * A router that answers for others has hundreds of addresses. Always the same few of them are kept, or its row would
 * change with every look.
 */
function withoutExcess(observations: readonly Observation[]): Observation[] {
  const counts = new Map<string, number>();
  const sorted = [...observations].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  return sorted.filter(({ mac, network }) => {
    if (mac === null) return true;
    const count = (counts.get(keyOf(network, mac)) ?? 0) + 1;
    counts.set(keyOf(network, mac), count);
    return count <= MAX_ADDRESSES;
  });
}

const keyOf = (network: string, what: string): string => `${network}|${what}`;

class Table {
  readonly #devices = new Map<string, DeviceRecord>();
  readonly #before = new Map<string, DeviceRecord>();
  readonly #byMac = new Map<string, string>();
  readonly #byAddress = new Map<string, string>();
  readonly #removed: string[] = [];

  constructor(known: readonly DeviceRecord[]) {
    // The device seen last has the address, should two rows claim it.
    for (const device of [...known].sort((a, b) => a.lastSeenMs - b.lastSeenMs)) {
      this.#before.set(device.id, device);
      this.#set(device);
    }
  }

  get size(): number {
    return this.#devices.size;
  }

  find({ network, mac, address }: Observation): DeviceRecord | undefined {
    const byMac = mac === null ? undefined : this.#byMac.get(keyOf(network, mac));
    if (byMac !== undefined) return this.#devices.get(byMac);
    const holder = this.#holderOf(network, address);
    // Another MAC has the address now: another device.
    return mac !== null && holder !== undefined && holder.mac !== null ? undefined : holder;
  }

  add(id: string, seen: Observation): void {
    const { network, mac, address, name, services, probe, seenAtMs } = seen;
    this.#takeAddress(network, address, id);
    this.#set({
      id,
      network,
      mac,
      addresses: [address],
      name,
      services: [...services],
      probes: [probe],
      firstSeenMs: seenAtMs,
      lastSeenMs: seenAtMs,
    });
  }

  update(device: DeviceRecord, seen: Observation): void {
    this.#takeAddress(device.network, seen.address, device.id);
    // Taking the address may have merged another row into this one.
    const current = this.#devices.get(device.id) ?? device;
    const isKnownAddress = current.addresses.includes(seen.address);
    this.#set({
      ...current,
      mac: current.mac ?? seen.mac,
      addresses: isKnownAddress ? current.addresses : [seen.address, ...current.addresses].slice(0, MAX_ADDRESSES),
      name: seen.name ?? current.name,
      services: union(current.services, seen.services).slice(0, MAX_SERVICES),
      probes: union(current.probes, [seen.probe]) as Probe[],
      firstSeenMs: Math.min(current.firstSeenMs, seen.seenAtMs),
      lastSeenMs: Math.max(current.lastSeenMs, seen.seenAtMs),
    });
  }

  outcome(): Pick<Merge, 'puts' | 'removedIds'> {
    const puts = [...this.#devices.values()].filter((device) => isWorthWriting(device, this.#before.get(device.id)));
    return { puts, removedIds: this.#removed.filter((id) => this.#before.has(id)) };
  }

  #holderOf(network: string, address: string): DeviceRecord | undefined {
    const id = this.#byAddress.get(keyOf(network, address));
    return id === undefined ? undefined : this.#devices.get(id);
  }

  #set(device: DeviceRecord): void {
    this.#devices.set(device.id, device);
    if (device.mac !== null) this.#byMac.set(keyOf(device.network, device.mac), device.id);
    for (const address of device.addresses) this.#byAddress.set(keyOf(device.network, address), device.id);
  }

  /** An address belongs to one device at a time. One that is known by nothing but this address is the same device. */
  #takeAddress(network: string, address: string, takerId: string): void {
    const holder = this.#holderOf(network, address);
    if (holder === undefined || holder.id === takerId) return;
    const rest = holder.addresses.filter((one) => one !== address);
    if (holder.mac !== null || rest.length > 0) {
      this.#devices.set(holder.id, { ...holder, addresses: rest });
      return;
    }
    this.#devices.delete(holder.id);
    this.#removed.push(holder.id);
    const taker = this.#devices.get(takerId);
    if (taker !== undefined) this.#set(absorb(taker, holder));
  }
}

function absorb(device: DeviceRecord, other: DeviceRecord): DeviceRecord {
  return {
    ...device,
    name: device.name ?? other.name,
    services: union(device.services, other.services).slice(0, MAX_SERVICES),
    probes: union(device.probes, other.probes),
    firstSeenMs: Math.min(device.firstSeenMs, other.firstSeenMs),
  };
}

function union<T extends string>(known: readonly T[], more: readonly T[]): T[] {
  return [...new Set([...known, ...more])].sort();
}

function isWorthWriting(device: DeviceRecord, before: DeviceRecord | undefined): boolean {
  if (before === undefined) return true;
  const { lastSeenMs: _now, firstSeenMs: _first, ...visible } = device;
  const { lastSeenMs: _then, firstSeenMs: _before, ...visibleBefore } = before;
  return !isDeepStrictEqual(visible, visibleBefore) || device.lastSeenMs - before.lastSeenMs >= SEEN_EVERY_MS;
}
