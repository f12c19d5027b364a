/** What the relay keeps of the last accepted check-in of one box. */
export interface ChainLink {
  /** Given out with the last answer. */
  token: string;
  /** The token the last accepted check-in presented; null for the first one. */
  previousToken: string | null;
  /** SHA-256 of the body of the last accepted check-in, base64. */
  previousBodyHash: string | null;
}

export interface Presented {
  previousToken: string | null;
  bodyHash: string;
}

/**
 * accept: the next link. repeat: the answer to the last check-in was lost and the very same body came again; it gets
 * the same token again. clone: somebody else continued from a link this box also has.
 */
export type ChainVerdict = 'accept' | 'repeat' | 'clone';

/**
 * Every box holds the token of its last answer, so two copies of one box both present it, and the second is caught at
 * its first check-in. Where the relay knows no link (a new claim, or a relay restored without its live rows) any token
 * begins a chain: only a token used twice proves a clone.
 */
export function judgeToken(link: ChainLink | null, presented: Presented): ChainVerdict {
  if (link === null || presented.previousToken === link.token) return 'accept';
  const isSameAsLast = presented.previousToken === link.previousToken && presented.bodyHash === link.previousBodyHash;
  return isSameAsLast ? 'repeat' : 'clone';
}
