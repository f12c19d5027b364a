import { isIP } from 'node:net';
import type { Width } from './walk.ts';

/** A range of ports this long is the whole host by another name; passive FTP, the longest in use, has as many. */
const MAX_PORTS = 16_384;

/** Protocols behind which no service listens. */
const NO_SERVICE = new Set(['icmp', 'ipv6-icmp', 'icmpv6', 'icmp6', 'igmp', 'esp', 'ah', 'vrrp', 'ospf', 'pim']);
const PORTED = new Set(['tcp', 'udp', 'sctp', 'dccp', 'udplite']);
const NUMBERS: Readonly<Record<string, string>> = { 0: 'all', 1: 'icmp', 2: 'igmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6' };

export function protocolWidth(protocol: string): Width {
  const name = NUMBERS[protocol] ?? protocol;
  if (name === 'all') return 'all';
  if (PORTED.has(name)) return 'wide';
  return NO_SERVICE.has(name) ? 'narrow' : 'unclear';
}

/** The destination ports of one rule, as [first, last]. */
export function portsWidth(ranges: readonly (readonly [number, number])[]): Width {
  if (ranges.some(([first, last]) => !Number.isInteger(first) || !Number.isInteger(last))) return 'unclear';
  const count = ranges.reduce((sum, [first, last]) => sum + Math.max(0, last - first + 1), 0);
  return count > MAX_PORTS ? 'wide' : 'narrow';
}

const PRIVATE_V6 = /^(?:f[cd]|fe[89ab])/i;
/** 10.0.0.0/8 is the largest private range of IPv4; of IPv6, what a provider has is no wider than this. */
const MIN_PREFIX = { 4: 8, 6: 32 } as const;

/** Where a connection comes from. */
export function sourceWidth(address: string, prefix: number): Width {
  const family = isIP(address);
  if (family === 0 || !Number.isInteger(prefix)) return 'unclear';
  if (prefix === 0) return 'all';
  if (family === 6 && prefix >= 7 && PRIVATE_V6.test(address)) return 'narrow';
  return prefix >= MIN_PREFIX[family as 4 | 6] ? 'narrow' : 'wide';
}

/** Where it goes to: an address of the host itself narrows nothing. */
export function destinationWidth(address: string, prefix: number): Width {
  const family = isIP(address);
  if (family === 0 || !Number.isInteger(prefix)) return 'unclear';
  if (prefix === 0) return 'all';
  const isMany = family === 4 ? /^(?:22[4-9]|23\d)\.|^255\.255\.255\.255$/.test(address) : /^ff/i.test(address);
  return isMany ? 'narrow' : 'wide';
}

/** From `first` to `last`, both IPv4. */
export function sourceRangeWidth(first: string, last: string): Width {
  if (isIP(first) !== 4 || isIP(last) !== 4) return 'unclear';
  return numberOf(last) - numberOf(first) < 2 ** 24 ? 'narrow' : 'wide';
}

const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

/** States of connection tracking, in lower case. */
export function statesWidth(states: readonly string[], isNegated: boolean): Width {
  if (isNegated) return states.includes('new') ? 'narrow' : 'all';
  if (states.includes('new')) return 'all';
  return states.every((state) => state === 'established' || state === 'related') ? 'narrow' : 'unclear';
}

/** Kinds of destinations: of what reaches the host, everything goes to a local one. */
export function destinationTypeWidth(type: string): Width {
  if (type === 'local' || type === 'unicast' || type === 'host') return 'all';
  return type === 'multicast' || type === 'broadcast' || type === 'anycast' ? 'narrow' : 'unclear';
}
