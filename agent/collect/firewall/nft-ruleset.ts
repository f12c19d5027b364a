import { conditionWidth, type Sets, valuesOf } from './nft-conditions.ts';
import { type Fate, fateOf, narrowest, type Rule, type Verdict, type Width } from './walk.ts';

export type { Fate } from './walk.ts';
export type Family = 'ipv4' | 'ipv6';

export interface InputFilter {
  /** No base chain of a family filters input: undefined. */
  readonly fate: Readonly<Partial<Record<Family, Fate>>>;
  readonly ruleCount: number;
  readonly manager: 'nftables' | 'firewalld' | 'ufw';
  /** Families filtered by the tables of iptables alone, some of whose conditions only that tool can tell. */
  readonly iptablesOnly: readonly Family[];
}

interface Chain {
  readonly key: string;
  readonly family: string;
  readonly table: string;
  readonly policy: string;
  readonly isInputFilter: boolean;
  readonly rules: unknown[][];
}

const FAMILIES: Readonly<Record<string, readonly Family[]>> = {
  inet: ['ipv4', 'ipv6'],
  ip: ['ipv4'],
  ip6: ['ipv6'],
};
/** Statements that never keep a packet from reaching the verdict after them. */
const TRANSPARENT = new Set(['counter', 'log', 'comment', 'mangle', 'quota']);
const ELSEWHERE = new Set(['queue', 'tproxy', 'fwd', 'dup', 'synproxy']);
/** Of iptables-nft: what has no nft form stands as `xt`, a match or a target of that name. */
const XT_TARGETS: Readonly<Record<string, Verdict>> = {
  REJECT: { kind: 'reject' },
  DROP: { kind: 'drop' },
  ACCEPT: { kind: 'accept' },
};
const XT_PASSING = new Set(['LOG', 'NFLOG', 'MARK', 'CONNMARK', 'CT', 'AUDIT', 'TRACE', 'TCPMSS']);
/** As strict as a fate can be; a packet has to get through every base chain. */
const STRICTNESS: readonly Fate[] = ['accept', 'unclear', 'drop', 'reject'];

/** What `nft --json list ruleset` says about input; undefined when the text is not nft's JSON. */
export function parseNftRuleset(json: string): InputFilter | undefined {
  const read = readChains(json);
  if (read === undefined) return undefined;
  const { chains, sets } = read;
  const fate: Partial<Record<Family, Fate>> = {};
  const bases = [...chains.values()].filter(({ isInputFilter }) => isInputFilter);
  for (const family of ['ipv4', 'ipv6'] as const) {
    const rules = new Map([...chains].map(([key, chain]) => [key, rulesOf(chain, sets, family)]));
    for (const chain of bases.filter((base) => FAMILIES[base.family]?.includes(family))) {
      const result = fateOf(chain.key, chain.policy === 'drop' ? 'drop' : 'accept', rules);
      const before = fate[family];
      if (before === undefined || STRICTNESS.indexOf(result) > STRICTNESS.indexOf(before)) fate[family] = result;
    }
  }
  const iptablesOnly = (['ipv4', 'ipv6'] as const).filter((family) => {
    const own = bases.filter((base) => FAMILIES[base.family]?.includes(family));
    return (
      own.length === 1 && own[0]?.family !== 'inet' && own[0]?.table === 'filter' && own[0].key.endsWith('\0INPUT')
    );
  });
  const ruleCount = [...chains.values()].reduce((sum, { rules }) => sum + rules.length, 0);
  return { fate, ruleCount, manager: managerOf(chains), iptablesOnly };
}

function readChains(json: string): { chains: Map<string, Chain>; sets: Sets } | undefined {
  let root: { nftables?: unknown };
  try {
    root = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!Array.isArray(root?.nftables)) return undefined;
  const chains = new Map<string, Chain>();
  const sets = new Map<string, readonly unknown[]>();
  for (const item of root.nftables) {
    const chain = item?.chain;
    if (typeof chain === 'object' && chain !== null) {
      const { family, table } = chain;
      const key = chainKey(family, table, chain.name);
      const isInputFilter = chain.type === 'filter' && chain.hook === 'input';
      chains.set(key, { key, family, table, policy: chain.policy ?? 'accept', isInputFilter, rules: [] });
    }
    const set = item?.set ?? item?.map;
    if (typeof set === 'object' && set !== null) {
      sets.set(chainKey(set.family, set.table, `@${set.name}`), Array.isArray(set.elem) ? set.elem : []);
    }
    const rule = item?.rule;
    if (Array.isArray(rule?.expr)) {
      chains.get(chainKey(rule.family, rule.table, rule.chain))?.rules.push(rule.expr);
    }
  }
  return { chains, sets };
}

/** The rules of a chain that decide something, a verdict map as one rule for each of its elements. */
function rulesOf(chain: Chain, sets: Sets, family: Family): Rule[] {
  const place = { sets, prefix: chainKey(chain.family, chain.table, ''), family };
  return chain.rules.flatMap((statements) => {
    const widths: Width[] = [];
    for (const statement of statements) {
      const word = firstKey(statement);
      if (TRANSPARENT.has(word)) continue;
      const body = (statement as Record<string, unknown>)[word];
      if (word === 'vmap') return mapRules(body, widths, place);
      const verdict = verdictOf(word, body, chain);
      if (verdict === 'none') continue;
      if (verdict !== undefined) return [{ width: narrowest(widths), verdict }];
      widths.push(conditionWidth(word, body, place));
    }
    return [];
  });
}

function mapRules(body: unknown, widths: readonly Width[], place: Parameters<typeof conditionWidth>[2]): Rule[] {
  const { key, data } = (body ?? {}) as { key?: unknown; data?: unknown };
  const pairs = valuesOf(data, place);
  const [family = '', table = ''] = place.prefix.split('\0');
  return (pairs ?? [undefined]).map((pair): Rule => {
    const [value, result] = Array.isArray(pair) ? pair : [undefined, undefined];
    const word = firstKey(result);
    const verdict = verdictOf(word, (result as Record<string, unknown> | undefined)?.[word], { family, table });
    if (verdict === undefined || verdict === 'none') {
      return { width: narrowest([...widths, 'unclear']), verdict: { kind: 'elsewhere' } };
    }
    const match = conditionWidth('match', { op: '==', left: key, right: value }, place);
    return { width: narrowest([...widths, match]), verdict };
  });
}

/** Undefined: the statement is a condition. `none`: it changes nothing. */
function verdictOf(word: string, body: unknown, { family, table }: Pick<Chain, 'family' | 'table'>) {
  if (word === 'accept' || word === 'drop' || word === 'reject' || word === 'return') return { kind: word } as const;
  if (word === 'continue') return 'none';
  if (word === 'jump' || word === 'goto') {
    const target = (body as { target?: string } | null)?.target ?? '';
    return { kind: word, chain: chainKey(family, table, target) } as const;
  }
  if (ELSEWHERE.has(word)) return { kind: 'elsewhere' } as const;
  if (word !== 'xt') return undefined;
  const { type, name } = (body ?? {}) as { type?: unknown; name?: unknown };
  if (type !== 'target' || typeof name !== 'string') return undefined;
  return XT_TARGETS[name] ?? (XT_PASSING.has(name) ? 'none' : ({ kind: 'elsewhere' } as const));
}

function managerOf(chains: ReadonlyMap<string, Chain>): InputFilter['manager'] {
  const keys = [...chains.keys()].map((key) => key.split('\0'));
  if (keys.some(([, table]) => table === 'firewalld')) return 'firewalld';
  if (keys.some(([, , name]) => name?.startsWith('ufw-') || name?.startsWith('ufw6-'))) return 'ufw';
  return 'nftables';
}

const chainKey = (family: unknown, table: unknown, name: unknown): string => `${family}\0${table}\0${name}`;

function firstKey(statement: unknown): string {
  return typeof statement === 'object' && statement !== null ? (Object.keys(statement)[0] ?? '') : '';
}
