/** What the relay keeps of the last accepted check-in of one box. */
export interface ChainLink {
  /** Given out with the last answer. */
  token: string;
  /** Of that token; null when it was made before tokens had one. */
  counter: number | null;
  /** The token the last accepted check-in presented; null for the first one. */
  previousToken: string | null;
  /** SHA-256 of the body of the last accepted check-in, base64; null: staff opened the chain, any token continues it. */
  previousBodyHash: string | null;
}

export interface Presented {
  previousToken: string | null;
  /** Of that token, when this relay's MAC proves it. */
  counter: number | null;
  bodyHash: string;
}

/**
 * accept: the next link. repeat: the answer to the last check-in was lost and the very same body came again; it gets
 * the same token again. restored: the box is ahead of the relay, whose state is older than its own token; the next
 * link. clone: somebody else continued from a link this box also has.
 */
export type ChainVerdict = 'accept' | 'repeat' | 'restored' | 'clone';

/**
 * Every box holds the token of its last answer, so two copies of one box both present it, and the second is caught at
 * its first check-in. Where the relay knows no link (a new claim, or a relay restored without its live rows) any token
 * begins a chain. A token with a higher counter than the relay's own cannot have been used as far as this state knows:
 * the state came from a backup. Only a token used twice proves a clone.
 */
export function judgeToken(link: ChainLink | null, presented: Presented): ChainVerdict {
  if (link === null || presented.previousToken === link.token || link.previousBodyHash === null) return 'accept';
  const isSameAsLast = presented.previousToken === link.previousToken && presented.bodyHash === link.previousBodyHash;
  if (isSameAsLast) return 'repeat';
  return presented.counter !== null && presented.counter > (link.counter ?? 0) ? 'restored' : 'clone';
}

/**
 * Above everything either side has seen, so that no token of the past looks newer than the next one. It follows the
 * relay's clock, so that it also rises above what the relay gave out before it was put back to a backup.
 */
export const nextCounter = (link: ChainLink | null, presented: Presented, nowS: number): number =>
  Math.max(link?.counter ?? 0, presented.counter ?? 0, nowS - 1) + 1;
