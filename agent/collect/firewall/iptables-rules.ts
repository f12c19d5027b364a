import { type Fate, fateOf, narrowest, type Rule, type Verdict, type Width } from './walk.ts';
import {
  destinationTypeWidth,
  destinationWidth,
  portsWidth,
  protocolWidth,
  sourceRangeWidth,
  sourceWidth,
  statesWidth,
} from './widths.ts';

export interface IptablesInput {
  /** undefined when the table filters nothing: no rule, policy ACCEPT. */
  readonly fate: Fate | undefined;
  readonly ruleCount: number;
  readonly isUfw: boolean;
}

/** A comment is no condition: an `ACCEPT` behind one accepts everything. */
const COMMENT = /-m comment --comment (?:"(?:[^"\\]|\\.)*"|\S+) ?/g;
/** Targets after which the next rule is looked at. */
const PASSING = new Set(['LOG', 'NFLOG', 'ULOG', 'AUDIT', 'TRACE', 'MARK', 'CONNMARK', 'SET', 'CT', 'TCPMSS', 'TOS']);

/** What `iptables -S` or `ip6tables -S` says about input; undefined when the text is not their listing. */
export function parseIptablesRules(listing: string): IptablesInput | undefined {
  const lines: { chain: string; words: string[] }[] = [];
  const chains = new Map<string, Rule[]>();
  let policy: 'accept' | 'drop' | undefined;
  for (const line of listing.split('\n')) {
    const [command, chain, ...words] = line.trim().replace(COMMENT, '').split(/\s+/);
    if (chain === undefined) continue;
    if (command === '-P' && chain === 'INPUT') policy = words[0] === 'ACCEPT' ? 'accept' : 'drop';
    if (command === '-N' || command === '-A') chains.set(chain, []);
    if (command === '-A') lines.push({ chain, words });
  }
  if (policy === undefined) return undefined;
  chains.set('INPUT', []);
  for (const { chain, words } of lines) {
    const rule = readRule(words, chains);
    if (rule !== undefined) chains.get(chain)?.push(rule);
  }
  const fate = fateOf('INPUT', policy, chains);
  const isUfw = [...chains.keys()].some((name) => name.startsWith('ufw'));
  return { fate: lines.length === 0 && fate === 'accept' ? undefined : fate, ruleCount: lines.length, isUfw };
}

/** Undefined: it decides nothing. */
function readRule(words: readonly string[], chains: ReadonlyMap<string, unknown>): Rule | undefined {
  const at = words.findIndex((word) => word === '-j' || word === '-g');
  const target = words[at + 1];
  if (at < 0 || target === undefined || PASSING.has(target)) return undefined;
  return { width: conditionsWidth(words.slice(0, at)), verdict: verdictOf(words[at], target, chains) };
}

function verdictOf(verb: string | undefined, target: string, chains: ReadonlyMap<string, unknown>): Verdict {
  if (target === 'ACCEPT') return { kind: 'accept' };
  if (target === 'DROP' || target === 'TARPIT') return { kind: 'drop' };
  if (target === 'REJECT') return { kind: 'reject' };
  if (target === 'RETURN') return { kind: 'return' };
  if (!chains.has(target)) return { kind: 'elsewhere' };
  return { kind: verb === '-g' ? 'goto' : 'jump', chain: target };
}

function conditionsWidth(words: readonly string[]): Width {
  const widths: Width[] = [];
  for (let at = 0; at < words.length; ) {
    const isNegated = words[at] === '!';
    if (isNegated) at += 1;
    const option = words[at] ?? '';
    const value = words[at + 1]?.startsWith('-') === false && words[at + 1] !== '!' ? (words[at + 1] ?? '') : '';
    at += 1;
    // Some options have two values; what is left of them belongs to nothing.
    while (at < words.length && words[at] !== '!' && !words[at]?.startsWith('-')) at += 1;
    widths.push(optionWidth(option, value, isNegated));
  }
  return narrowest(widths);
}

/** Options that say in more detail what another one has said. */
const MODULES_KNOWN =
  /^(?:tcp|udp|sctp|dccp|udplite|icmp|icmp6|conntrack|state|multiport|addrtype|pkttype|iprange|limit)$/;

function optionWidth(option: string, value: string, isNegated: boolean): Width {
  switch (option) {
    case '-m':
      return MODULES_KNOWN.test(value) ? 'all' : 'unclear';
    case '--ctstate':
    case '--state':
      return statesWidth(value.toLowerCase().split(','), isNegated);
    case '--dst-type':
    case '--pkt-type':
      return isNegated ? 'unclear' : destinationTypeWidth(value.toLowerCase());
    case '--src-type':
      return value === 'LOCAL' && !isNegated ? 'narrow' : 'unclear';
    case '--limit':
    case '--limit-burst':
    case '--sport':
    case '--sports':
    case '--tcp-flags':
    case '--dst-range':
      return 'wide';
    case '--syn':
      return isNegated ? 'narrow' : 'wide';
    case '--icmp-type':
    case '--icmpv6-type':
      return 'narrow';
    case '--ctstatus':
    case '--ports':
      return 'unclear';
    default:
      return isNegated ? negatedWidth(option, value) : plainWidth(option, value);
  }
}

function plainWidth(option: string, value: string): Width {
  switch (option) {
    case '-i':
      return value === 'lo' ? 'narrow' : 'wide';
    case '-p':
      return protocolWidth(value.toLowerCase());
    case '-s':
      return sourceWidth(...addressOf(value));
    case '-d':
      return destinationWidth(...addressOf(value));
    case '--dport':
    case '--dports':
      return portsWidth(value.split(',').map(portRange));
    case '--src-range': {
      const [first = '', last = first] = value.split('-');
      return sourceRangeWidth(first, last);
    }
    default:
      return 'unclear';
  }
}

/** All but something small is nearly all. */
function negatedWidth(option: string, value: string): Width {
  if (option === '-s' || option === '-d') return addressOf(value)[1] === 0 ? 'narrow' : 'wide';
  return ['-i', '-p', '--dport', '--dports', '--src-range'].includes(option) ? 'wide' : 'unclear';
}

/** As the kernel lists it, a prefix or a mask behind the slash. */
function addressOf(text: string): [address: string, prefix: number] {
  const [address = '', mask] = text.split('/');
  if (mask === undefined) return [address, address.includes(':') ? 128 : 32];
  return [address, /^\d+$/.test(mask) ? Number(mask) : Number.NaN];
}

function portRange(text: string): [number, number] {
  const [first = '', last = first] = text.split(':');
  return [first === '' ? 0 : Number(first), last === '' ? 65_535 : Number(last)];
}
