import type { OwnNetwork } from './networks.ts';
import type { Observation } from './types.ts';

/** The part of a decoded DNS packet that is read here; everything in it comes from strangers. */
export interface MdnsPacket {
  readonly type?: unknown;
  readonly answers?: unknown;
  readonly additionals?: unknown;
}

interface DnsRecord {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly data: unknown;
}

const MAX_RECORDS = 256;
const MAX_NAME_CHARS = 63;
const MAX_SERVICES = 32;
const SERVICE_TYPE = /^(?:.*\.)?(_[a-z0-9-]{1,62}\._(?:tcp|udp))\.local$/;
const SERVICE_LIST = '_services._dns-sd._udp.local';

/**
 * Who sent this, how it calls itself and what it offers; undefined for a sender that is not on a network of the box (which
 * RFC 6762 says to ignore) or is the box. Only what the sender says of its own address counts. Never throws.
 */
export function observeMdns(
  packet: MdnsPacket,
  senderAddress: string,
  { networks, nowMs }: { networks: readonly OwnNetwork[]; nowMs: number },
): Observation | undefined {
  const network = networks.find((one) => one.contains(senderAddress));
  if (network === undefined || networks.some((one) => one.address === senderAddress)) return undefined;
  const records =
    packet.type === 'response' ? [...readRecords(packet.answers), ...readRecords(packet.additionals)] : [];
  return {
    probe: 'mdns',
    network: network.cidr,
    mac: null,
    address: senderAddress,
    name: hostNameOf(records, senderAddress),
    services: servicesOf(records),
    seenAtMs: nowMs,
  };
}

function readRecords(value: unknown): DnsRecord[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_RECORDS).flatMap((raw: Partial<DnsRecord> | null) => {
    if (typeof raw !== 'object' || raw === null) return [];
    const { name, type, ttl, data } = raw;
    if (typeof name !== 'string' || typeof type !== 'string' || typeof ttl !== 'number') return [];
    // Zero says goodbye.
    return ttl > 0 ? [{ name: name.toLowerCase(), type, ttl, data }] : [];
  });
}

function hostNameOf(records: readonly DnsRecord[], address: string): string | null {
  const own = records.find(({ type, data }) => type === 'A' && data === address);
  if (own === undefined || !own.name.endsWith('.local')) return null;
  const name = cleanName(own.name.slice(0, -'.local'.length));
  return name === '' ? null : name;
}

/** Printable, one line, bounded: it will stand on pages and in logs. */
function cleanName(text: string): string {
  return text
    .replaceAll(/[^\p{L}\p{N} ._-]/gu, '')
    .toWellFormed()
    .trim()
    .slice(0, MAX_NAME_CHARS);
}

function servicesOf(records: readonly DnsRecord[]): string[] {
  const types = new Set<string>();
  for (const { name, type, data } of records) {
    const text = name === SERVICE_LIST && type === 'PTR' && typeof data === 'string' ? data.toLowerCase() : name;
    if (text === SERVICE_LIST || (type !== 'PTR' && type !== 'SRV')) continue;
    const match = text.length <= 255 ? SERVICE_TYPE.exec(text) : null;
    if (match?.[1] !== undefined && types.size < MAX_SERVICES) types.add(match[1]);
  }
  return [...types].sort();
}
