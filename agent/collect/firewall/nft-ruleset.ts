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
    // A packet must be let through by every base chain, so the strictest one decides.
    for (const family of FAMILIES[chain.family] ?? []) {
      const result = walk(chain, { chains, family }, 0) ?? (chain.policy === 'drop' ? 'drop' : 'accept');
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

interface Way {
  readonly chains: ReadonlyMap<string, Chain>;
  readonly family: Family;
}

/**
 * The first verdict on the way of a new connection through a chain whose conditions, if there are any, hold for every one
 * of its family; undefined when the packet falls out at its end.
 */
function walk(chain: Chain, way: Way, depth: number): Fate | undefined {
  const { chains, family } = way;
  if (depth > MAX_JUMPS) return undefined;
  for (const rule of chain.rules) {
    const rest = rule.filter((statement) => !isTransparent(statement) && !holdsForAll(statement, family));
    if (rest.length !== 1) continue;
    const verdict = ofNewConnection(rest[0]) ?? rest[0];
    const word = firstKey(verdict);
    const target = xtOf(verdict);
    if (target?.type === 'target' && XT_FATES[target.name] !== undefined) return XT_FATES[target.name];
    if (word === 'accept' || word === 'drop' || word === 'reject') return word;
    if (word === 'return') return undefined;
    if (word !== 'jump' && word !== 'goto') continue;
    const name = (verdict as Record<string, { target?: string }>)[word]?.target ?? '';
    const [tableFamily, table] = chain.key.split('\0');
    const next = chains.get(chainKey(tableFamily, table, name));
    const result = next === undefined ? undefined : walk(next, way, depth + 1);
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

const ANY_ADDRESS: Readonly<Record<Family, { protocol: string; address: string }>> = {
  ipv4: { protocol: 'ip', address: '0.0.0.0' },
  ipv6: { protocol: 'ip6', address: '::' },
};

interface Match {
  readonly op?: unknown;
  readonly left?: {
    ct?: { key?: unknown };
    payload?: { protocol?: unknown; field?: unknown };
    meta?: { key?: unknown };
  };
  readonly right?: unknown;
}

/** A condition that lets every new connection of the family through: any address, the state `new`, the family itself. */
function holdsForAll(statement: unknown, family: Family): boolean {
  const { op, left, right } = (statement as { match?: Match | null } | null)?.match ?? {};
  if (op !== '==' && op !== 'in') return false;
  const { protocol, address } = ANY_ADDRESS[family];
  if (left?.ct?.key === 'state') return elementsOf(right).includes('new');
  if (left?.meta?.key === 'nfproto') return right === family;
  if (left?.meta?.key === 'protocol') return right === protocol;
  if (left?.payload?.protocol !== protocol) return false;
  if (left.payload.field !== 'saddr' && left.payload.field !== 'daddr') return false;
  return elementsOf(right).some((one) => {
    const prefix = (one as { prefix?: { addr?: unknown; len?: unknown } } | null)?.prefix;
    return prefix?.len === 0 && prefix.addr === address;
  });
}

/** One value, a list of flags, or an anonymous set. */
function elementsOf(right: unknown): readonly unknown[] {
  const values = (right as { set?: unknown } | null)?.set ?? right;
  return Array.isArray(values) ? values : [values];
}

/** What a verdict map over the state says about `new`. */
function ofNewConnection(statement: unknown): unknown {
  const vmap = (statement as { vmap?: { key?: Match['left']; data?: unknown } | null } | null)?.vmap;
  if (vmap?.key?.ct?.key !== 'state') return undefined;
  const pair = elementsOf(vmap.data).find((one) => Array.isArray(one) && one[0] === 'new');
  return Array.isArray(pair) ? pair[1] : undefined;
}

function xtOf(statement: unknown): { type: string; name: string } | undefined {
  const xt = (statement as { xt?: { type?: unknown; name?: unknown } | null } | null)?.xt;
  return typeof xt?.type === 'string' && typeof xt.name === 'string' ? { type: xt.type, name: xt.name } : undefined;
}

function firstKey(statement: unknown): string {
  return typeof statement === 'object' && statement !== null ? (Object.keys(statement)[0] ?? '') : '';
}
