import type { Fate } from './nft-ruleset.ts';

export interface IptablesInput {
  /** undefined when the table filters nothing: no rule, policy ACCEPT. */
  readonly fate: Fate | undefined;
  readonly ruleCount: number;
  readonly isUfw: boolean;
}

const FATES: Readonly<Record<string, Fate>> = { ACCEPT: 'accept', DROP: 'drop', REJECT: 'reject' };
const MAX_JUMPS = 16;
/** A comment is no condition: an `ACCEPT` behind one accepts everything. */
const COMMENT = /-m comment --comment (?:"(?:[^"\\]|\\.)*"|\S+) ?/g;
/** Conditions that every new connection meets. */
const HOLDS_FOR_ALL =
  /(?<!! )(?:-m (?:conntrack --ctstate|state --state) (?:[A-Z]+,)*NEW(?:,[A-Z]+)*|-[sd] (?:0\.0\.0\.0\/0|::\/0))(?: |$)/g;

/** What `iptables -S` or `ip6tables -S` says about input; undefined when the text is not their listing. */
export function parseIptablesRules(listing: string): IptablesInput | undefined {
  const chains = new Map<string, string[][]>();
  let policy: Fate | undefined;
  let ruleCount = 0;
  for (const line of listing.split('\n')) {
    const words = line.trim().replace(COMMENT, '').replace(HOLDS_FOR_ALL, '').split(/\s+/);
    const [command, chain] = words;
    if (chain === undefined) continue;
    if (command === '-P' && chain === 'INPUT') policy = FATES[words[2] ?? ''];
    if (command === '-A') {
      ruleCount++;
      chains.set(chain, [...(chains.get(chain) ?? []), words.slice(2)]);
    }
  }
  if (policy === undefined) return undefined;
  const fate = walk('INPUT', chains, 0) ?? policy;
  const isUfw = [...chains.keys()].some((name) => name.startsWith('ufw'));
  return { fate: ruleCount === 0 && fate === 'accept' ? undefined : fate, ruleCount, isUfw };
}

/** The first rule without a condition that decides; undefined when the packet falls out at the chain's end. */
function walk(chain: string, chains: ReadonlyMap<string, string[][]>, depth: number): Fate | undefined {
  if (depth > MAX_JUMPS) return undefined;
  for (const words of chains.get(chain) ?? []) {
    const [verb, target] = words;
    if ((verb !== '-j' && verb !== '-g') || target === undefined) continue;
    const fate = FATES[target];
    if (fate !== undefined) return fate;
    if (target === 'RETURN') return undefined;
    const result = walk(target, chains, depth + 1);
    if (result !== undefined || verb === '-g') return result;
  }
  return undefined;
}
