/** The one shape we sign: RFC 9421, Ed25519, these components in this order. */
export const LABEL = 'sw';
export const TAG = 'sitewarden-v1';
export const COVERED = ['@method', '@authority', '@path', '@query', 'content-digest'] as const;

/** Proves to the relay which of two machines with one device key checked in last; covered wherever it is sent. */
export const CHECKIN_TOKEN_HEADER = 'sitewarden-checkin-token';

/** Why a signed request is refused; the sentence says what to do next. */
export const SIGNATURE_CODES = {
  SIGNATURE_MISSING: 'The request carries no signature labelled "sw". Sign it with the device key.',
  SIGNATURE_MALFORMED: 'The signature headers break the sitewarden-v1 profile. Send them as docs/protocols says.',
  SIGNATURE_COMPONENTS: 'A component that must be covered is not covered or not there. Cover and send all of them.',
  DIGEST_MISMATCH: 'The body is not the one the content digest names. Digest the exact bytes sent.',
  CLOCK_SKEW: 'The signature was made too far from our time. Correct the clock by the given offset and sign again.',
  SIGNATURE_INVALID: 'The signature does not verify under the key on file. Check which key signed the request.',
} as const;

export type SignatureCode = keyof typeof SIGNATURE_CODES;

/** Header names in lower case, as node:http gives them. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * The parts of a request a signature can cover. `authority` is the Host header, `path` the path as sent, `query` the
 * query with its `?`, or empty when there is none.
 */
export type RequestParts = { method: string; authority: string; path: string; query: string; headers: Headers };
