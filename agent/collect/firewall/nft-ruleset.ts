export type Family = 'ipv4' | 'ipv6';
/** What happens to an incoming packet that no conditional rule names. */
export type Fate = 'accept' | 'drop' | 'reject';

export interface InputFilter {
  /** No base chain of a family filters input: undefined. */
  readonly fate: Readonly<Partial<Record<Family, Fate>>>;
  readonly ruleCount: number;
  readonly manager: 'nftables' | 'firewalld' | 'ufw';
}

interface Chain {
  readonly key: string;
  readonly family: string;
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
const TRANSPARENT = new Set(['counter', 'log', 'comment', 'mangle']);
/** Of iptables-nft: what has no nft form stands as `xt`, a match or a target of that name. */
const XT_FATES: Readonly<Record<string, Fate>> = { REJECT: 'reject', DROP: 'drop', ACCEPT: 'accept' };
const MAX_JUMPS = 16;

/** What `nft --json list ruleset` says about input; undefined when the text is not nft's JSON. */
export function parseNftRuleset(json: string): InputFilter | undefined {
  const chains = readChains(json);
  if (chains === undefined) return undefined;
  const fate: Partial<Record<Family, Fate>> = {};
  let ruleCount = 0;
  for (const chain of chains.values()) {
    ruleCount += chain.rules.length;
    if (!chain.isInputFilter) continue;
    const result = walk(chain, chains, 0) ?? (chain.policy === 'drop' ? 'drop' : 'accept');
    // A packet must be let through by every base chain, so the strictest one decides.
    for (const family of FAMILIES[chain.family] ?? []) {
      if (fate[family] === undefined || fate[family] === 'accept') fate[family] = result;
    }
  }
  return { fate, ruleCount, manager: managerOf(chains) };
}

function readChains(json: string): Map<string, Chain> | undefined {
  let root: { nftables?: unknown };
  try {
    root = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!Array.isArray(root?.nftables)) return undefined;
  const chains = new Map<string, Chain>();
  for (const item of root.nftables) {
    const chain = item?.chain;
    if (typeof chain === 'object' && chain !== null) {
      const key = chainKey(chain.family, chain.table, chain.name);
      const isInputFilter = chain.type === 'filter' && chain.hook === 'input';
      chains.set(key, { key, family: chain.family, policy: chain.policy ?? 'accept', isInputFilter, rules: [] });
    }
    const rule = item?.rule;
    if (Array.isArray(rule?.expr)) {
      chains.get(chainKey(rule.family, rule.table, rule.chain))?.rules.push(rule.expr);
    }
  }
  return chains;
}

/** The first unconditional verdict on the way through a chain; undefined when the packet falls out at its end. */
function walk(chain: Chain, chains: ReadonlyMap<string, Chain>, depth: number): Fate | undefined {
  if (depth > MAX_JUMPS) return undefined;
  for (const rule of chain.rules) {
    const rest = rule.filter((statement) => !isTransparent(statement));
    if (rest.length !== 1) continue;
    const word = firstKey(rest[0]);
    const target = xtOf(rest[0]);
    if (target?.type === 'target' && XT_FATES[target.name] !== undefined) return XT_FATES[target.name];
    if (word === 'accept' || word === 'drop' || word === 'reject') return word;
    if (word === 'return') return undefined;
    if (word !== 'jump' && word !== 'goto') continue;
    const name = (rest[0] as Record<string, { target?: string }>)[word]?.target ?? '';
    const [family, table] = chain.key.split('\0');
    const next = chains.get(chainKey(family, table, name));
    const result = next === undefined ? undefined : walk(next, chains, depth + 1);
    if (result !== undefined || word === 'goto') return result;
  }
  return undefined;
}

function managerOf(chains: ReadonlyMap<string, Chain>): InputFilter['manager'] {
  const keys = [...chains.keys()].map((key) => key.split('\0'));
  if (keys.some(([, table]) => table === 'firewalld')) return 'firewalld';
  if (keys.some(([, , name]) => name?.startsWith('ufw-') || name?.startsWith('ufw6-'))) return 'ufw';
  return 'nftables';
}

const chainKey = (family: unknown, table: unknown, name: unknown): string => `${family}\0${table}\0${name}`;

function isTransparent(statement: unknown): boolean {
  const xt = xtOf(statement);
  return TRANSPARENT.has(firstKey(statement)) || (xt?.type === 'match' && xt.name === 'comment');
}

function xtOf(statement: unknown): { type: string; name: string } | undefined {
  const xt = (statement as { xt?: { type?: unknown; name?: unknown } | null } | null)?.xt;
  return typeof xt?.type === 'string' && typeof xt.name === 'string' ? { type: xt.type, name: xt.name } : undefined;
}

function firstKey(statement: unknown): string {
  return typeof statement === 'object' && statement !== null ? (Object.keys(statement)[0] ?? '') : '';
}
