/** What happens to an incoming packet that no narrow rule names. `unclear`: it hangs on a rule nobody here can read. */
export type Fate = 'accept' | 'drop' | 'reject' | 'unclear';

/**
 * How many new connections from elsewhere a condition lets through: all of them; so many that an accept behind it opens the
 * host; nobody can say; or few, as those to one port, from loopback, from one private network, or of no service at all.
 */
export type Width = 'all' | 'wide' | 'unclear' | 'narrow';
const WIDTHS: readonly Width[] = ['all', 'wide', 'unclear', 'narrow'];

export interface Rule {
  readonly width: Width;
  readonly verdict: Verdict;
}

export type Verdict =
  | { readonly kind: 'accept' | 'drop' | 'reject' | 'return' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  /** It decides elsewhere, as a queue to a program does. */
  | { readonly kind: 'elsewhere' };

/** Real rulesets are visited in far fewer; one made to keep the agent busy is `unclear`. */
const MAX_STEPS = 100_000;
const MAX_JUMPS = 16;

/** All conditions at once: as narrow as the narrowest. */
export const narrowest = (widths: readonly Width[]): Width =>
  WIDTHS[Math.max(0, ...widths.map((width) => WIDTHS.indexOf(width)))] ?? 'all';

/** Any of them: as wide as the widest; for no packets at all, narrow. */
export const widest = (widths: readonly Width[]): Width =>
  widths.length === 0 ? 'narrow' : (WIDTHS[Math.min(...widths.map((width) => WIDTHS.indexOf(width)))] ?? 'all');

/** Walks the way of a new connection from `base` on. Pure. */
export function fateOf(base: string, policy: 'accept' | 'drop', chains: ReadonlyMap<string, readonly Rule[]>): Fate {
  let decided: Fate | undefined;
  let isOpen = false;
  let isUnclear = false;
  let steps = 0;

  function note(kind: 'accept' | 'drop' | 'reject', width: Width): void {
    if (width === 'all') decided ??= kind;
    else if (kind === 'accept' && width === 'wide') isOpen = true;
    else if (kind === 'accept' && width === 'unclear') isUnclear = true;
  }

  /** Of the packets that come in, those that fall out at the chain's end or return; undefined: none. */
  function walk(name: string, coming: Width, depth: number): Width | undefined {
    if (depth > MAX_JUMPS) return coming;
    let here = coming;
    const leaving: Width[] = [];
    const out = () => (leaving.length === 0 ? undefined : widest(leaving));
    for (const { width, verdict } of chains.get(name) ?? []) {
      if (++steps > MAX_STEPS) {
        isUnclear = true;
        return undefined;
      }
      const met = narrowest([here, width]);
      if (met === 'narrow') continue;
      const isForAll = width === 'all';
      if (verdict.kind === 'jump' || verdict.kind === 'goto') {
        const back = walk(verdict.chain, met, depth + 1);
        if (verdict.kind === 'goto' && back !== undefined) leaving.push(back);
        if (!isForAll) continue;
        if (verdict.kind === 'goto' || back === undefined) return out();
        here = back;
        continue;
      }
      if (verdict.kind === 'return') leaving.push(met);
      else if (verdict.kind === 'elsewhere') note('accept', narrowest([met, 'unclear']));
      else note(verdict.kind, met);
      if (isForAll) return out();
    }
    return widest([...leaving, here]);
  }

  const left = walk(base, 'all', 0);
  if (left !== undefined) note(policy, left);
  if (isOpen || decided === 'accept') return 'accept';
  return isUnclear ? 'unclear' : (decided ?? 'drop');
}
