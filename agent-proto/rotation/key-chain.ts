/** The keys of one evidence log: the one it began with, and each transition in order, by the sequence number of its entry. */
export interface KeyChain {
  readonly first: string;
  readonly turns: readonly { readonly seq: number; readonly key: string }[];
}

/**
 * The key that must have signed the entry with sequence number `at`, or the checkpoint of `at` entries. The transition
 * itself is signed by the key before it; a checkpoint that covers it, by the key after it.
 */
export function keyInForce({ first, turns }: KeyChain, at: number): string {
  return turns.findLast(({ seq }) => seq < at)?.key ?? first;
}

/** A key that was in force once does not come back: an old transition could be played again. */
export const wasInForce = ({ first, turns }: KeyChain, key: string): boolean =>
  key === first || turns.some((turn) => turn.key === key);
