import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { runTool } from '@sitewarden/kit/exec';
import type { OwnNetwork } from './networks.ts';
import type { Observation } from './types.ts';

export interface Neighbour {
  readonly interfaceName: string;
  readonly address: string;
  readonly mac: string;
  /** Since the kernel last had proof of it; 0 where the table does not say. */
  readonly ageMs: number;
}

const TOOL_TIMEOUT_MS = 5000;
const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;
/** Nobody: unset, or everybody. */
const NO_ONE = new Set(['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff']);

/** What the kernel learnt from traffic that happened anyway; asks nobody. Empty when neither source can be read. */
export async function readNeighbours(): Promise<Neighbour[]> {
  const result = await runTool(['ip', '-s', '-j', 'neigh', 'show'], { timeoutMs: TOOL_TIMEOUT_MS });
  if (result.ok) return parseIpNeigh(result.stdout);
  try {
    return parseProcArp(await readFile('/proc/net/arp', 'utf8'));
  } catch {
    return [];
  }
}

interface IpNeigh {
  readonly dst?: unknown;
  readonly dev?: unknown;
  readonly lladdr?: unknown;
  readonly confirmed?: unknown;
  readonly state?: unknown;
}

/** Of `ip -s -j neigh show`. Entries without a proven MAC are left out; no text makes it throw. */
export function parseIpNeigh(text: string): Neighbour[] {
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(rows)) return [];
  return (rows as (IpNeigh | null)[]).flatMap((row) => {
    if (typeof row !== 'object' || row === null) return [];
    const states = Array.isArray(row.state) ? row.state : [];
    if (states.includes('FAILED') || states.includes('INCOMPLETE') || states.includes('NOARP')) return [];
    const ageS = typeof row.confirmed === 'number' && row.confirmed >= 0 ? row.confirmed : 0;
    return neighbour({ interfaceName: row.dev, address: row.dst, mac: row.lladdr, ageMs: ageS * 1000 });
  });
}

/** Of /proc/net/arp: address, hardware type, flags, MAC, mask, device. Flag 0x2 is a complete entry. */
export function parseProcArp(text: string): Neighbour[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [address, , flags, mac, , interfaceName] = line.trim().split(/\s+/);
      if ((Number(flags) & 0x2) === 0) return [];
      return neighbour({ interfaceName, address, mac, ageMs: 0 });
    });
}

function neighbour(raw: { interfaceName: unknown; address: unknown; mac: unknown; ageMs: number }): Neighbour[] {
  const { interfaceName, address, ageMs } = raw;
  const mac = typeof raw.mac === 'string' ? raw.mac.toLowerCase() : '';
  if (typeof interfaceName !== 'string' || typeof address !== 'string' || isIP(address) === 0) return [];
  return MAC.test(mac) && !NO_ONE.has(mac) ? [{ interfaceName, address, mac, ageMs }] : [];
}

/** Neighbours on the box's own networks. IPv6 ones are filed under the IPv4 network of their interface. */
export function observeNeighbours(
  neighbours: readonly Neighbour[],
  networks: readonly OwnNetwork[],
  nowMs: number,
): Observation[] {
  return neighbours.flatMap(({ interfaceName, address, mac, ageMs }) => {
    const here = networks.filter((network) => network.interfaceName === interfaceName);
    const network = here.find((one) => one.contains(address)) ?? (isIP(address) === 6 ? here[0] : undefined);
    if (network === undefined) return [];
    const seenAtMs = Math.max(0, nowMs - ageMs);
    return [{ probe: 'neighbour', network: network.cidr, mac, address, name: null, services: [], seenAtMs } as const];
  });
}
