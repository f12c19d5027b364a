import type { Family } from './nft-ruleset.ts';
import { type Width, widest } from './walk.ts';
import {
  destinationTypeWidth,
  destinationWidth,
  portsWidth,
  protocolWidth,
  sourceRangeWidth,
  sourceWidth,
  statesWidth,
} from './widths.ts';

/** Elements of named sets and maps by `family\0table\0@name`. */
export type Sets = ReadonlyMap<string, readonly unknown[]>;

export interface Place {
  readonly sets: Sets;
  /** `family\0table\0` of the chain. */
  readonly prefix: string;
  readonly family: Family;
}

interface Left {
  readonly ct?: { key?: unknown };
  readonly payload?: { protocol?: unknown; field?: unknown };
  readonly meta?: { key?: unknown };
  readonly fib?: { result?: unknown };
}

const PROTOCOL_OF: Readonly<Record<Family, string>> = { ipv4: 'ip', ipv6: 'ip6' };

/** The values of a right side: one, a list, an anonymous set, or a named one. Undefined when it is not there to read. */
export function valuesOf(right: unknown, { sets, prefix }: Place): readonly unknown[] | undefined {
  if (typeof right === 'string' && right.startsWith('@')) return sets.get(prefix + right)?.map(bare);
  const values = (right as { set?: unknown } | null)?.set ?? right;
  return (Array.isArray(values) ? values : [values]).map(bare);
}

/** An element may carry a comment or a counter around its value. */
const bare = (value: unknown): unknown => (value as { elem?: { val?: unknown } } | null)?.elem?.val ?? value;

/** How wide a statement that is no verdict leaves the way. */
export function conditionWidth(word: string, body: unknown, place: Place): Width {
  if (word === 'limit') return 'wide';
  if (word === 'xt') {
    const { type, name } = (body ?? {}) as { type?: unknown; name?: unknown };
    if (type === 'match' && name === 'comment') return 'all';
    return type === 'match' && (name === 'icmp' || name === 'icmp6') ? 'narrow' : 'unclear';
  }
  if (word !== 'match') return 'unclear';
  const { op, left, right } = (body ?? {}) as { op?: unknown; left?: Left; right?: unknown };
  const values = valuesOf(right, place);
  if (values === undefined || (op !== '==' && op !== 'in' && op !== '!=')) return 'unclear';
  return op === '!=' ? unlike(left, values, place) : like(left, values, place);
}

function like(left: Left | undefined, values: readonly unknown[], { family }: Place): Width {
  const each = (width: (value: unknown) => Width) => widest(values.map(width));
  if (left?.ct?.key === 'state') return statesWidth(values.map(String), false);
  // Translated by a rule of the host itself.
  if (left?.ct?.key === 'status') return values.every((value) => value === 'dnat') ? 'narrow' : 'unclear';
  if (left?.fib?.result === 'type') return each((value) => destinationTypeWidth(String(value)));
  const key = left?.meta?.key;
  if (key === 'iif' || key === 'iifname') return each((value) => (value === 'lo' ? 'narrow' : 'wide'));
  if (key === 'nfproto') return each((value) => (value === family ? 'all' : 'narrow'));
  if (key === 'protocol') return each((value) => (value === PROTOCOL_OF[family] ? 'all' : 'narrow'));
  if (key === 'l4proto') return each((value) => protocolWidth(String(value)));
  if (key === 'pkttype') return each((value) => destinationTypeWidth(String(value)));
  return left?.payload === undefined ? 'unclear' : payloadWidth(left.payload, values, family);
}

function payloadWidth(
  { protocol, field }: NonNullable<Left['payload']>,
  values: readonly unknown[],
  family: Family,
): Width {
  if (protocol === 'icmp' || protocol === 'icmpv6' || protocol === 'igmp') return 'narrow';
  if (protocol === 'ip' || protocol === 'ip6') {
    if (protocol !== PROTOCOL_OF[family]) return 'narrow';
    if (field === 'saddr') return widest(values.map((value) => networkWidth(value, sourceWidth)));
    if (field === 'daddr') return widest(values.map((value) => networkWidth(value, destinationWidth)));
    return field === 'protocol' || field === 'nexthdr'
      ? widest(values.map((value) => protocolWidth(String(value))))
      : 'unclear';
  }
  if (field === 'dport') return portsWidth(values.map(portRange));
  return field === 'sport' || field === 'flags' ? 'wide' : 'unclear';
}

function networkWidth(value: unknown, width: (address: string, prefix: number) => Width): Width {
  if (typeof value === 'string') return width(value, value.includes(':') ? 128 : 32);
  const { prefix, range } = (value ?? {}) as { prefix?: { addr?: unknown; len?: unknown }; range?: unknown };
  if (prefix !== undefined) return width(String(prefix.addr), Number(prefix.len));
  if (!Array.isArray(range)) return 'unclear';
  return width === sourceWidth ? sourceRangeWidth(String(range[0]), String(range[1])) : 'wide';
}

function portRange(value: unknown): [number, number] {
  const range = (value as { range?: unknown } | null)?.range;
  const [first, last] = Array.isArray(range) ? range : [value, value];
  return [portNumber(first), portNumber(last)];
}

/** nft names the ports of well-known services when it is asked to; a name is one port all the same. */
const portNumber = (value: unknown): number => (typeof value === 'string' && value !== '' ? 0 : Number(value));

/** All but something small is nearly all. */
function unlike(left: Left | undefined, values: readonly unknown[], place: Place): Width {
  if (left?.ct?.key === 'state') return statesWidth(values.map(String), true);
  const without = like(left, values, place);
  if (without === 'all') return 'narrow';
  const key = left?.meta?.key;
  if (key === 'nfproto' || key === 'protocol') return 'all';
  const isKnown = left?.payload !== undefined || key === 'iif' || key === 'iifname' || key === 'l4proto';
  return isKnown && without !== 'unclear' ? 'wide' : 'unclear';
}
