import * as crypto from 'node:crypto';
import { parseDictionary } from 'structured-headers';

/** RFC 9530 Content-Digest of the exact body bytes, also of an empty body. */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${crypto.hash('sha256', body, 'base64')}:`;
}

const ALGORITHMS = { 'sha-256': 'sha256', 'sha-512': 'sha512' } as const;

/**
 * Does the header name these bytes? A sha-256 entry must be there; a sha-512 entry beside it must hold too, other
 * algorithms are ignored as RFC 9530 says.
 */
export function isDigestOf(header: string, body: Uint8Array): boolean {
  if (header === contentDigest(body)) return true;
  try {
    const entries = parseDictionary(header);
    if (!entries.has('sha-256')) return false;
    return Object.entries(ALGORITHMS).every(([name, algorithm]) => {
      const entry = entries.get(name);
      if (entry === undefined) return true;
      const value = entry[0];
      return value instanceof ArrayBuffer && Buffer.from(value).equals(crypto.hash(algorithm, body, 'buffer'));
    });
  } catch {
    return false;
  }
}
