/**
 * Points every honest key generator avoids. A small-order key makes one signature valid for many messages, and an
 * encoding with y >= p is a second name for another key; OpenSSL imports both without a word.
 */

const FIELD_PRIME_LE = Buffer.from(`ed${'ff'.repeat(30)}7f`, 'hex');

/** y of the points of order 1, 2, 4 and 8, sign bit cleared (little endian). */
const SMALL_ORDER_Y = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]);

function isBelowPrime(y: Buffer): boolean {
  for (let i = 31; i >= 0; i -= 1) {
    const difference = y[i]! - FIELD_PRIME_LE[i]!;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** Why 32 bytes cannot be an honest Ed25519 public key, or undefined when nothing speaks against them. */
export function pointFault(raw: Uint8Array): string | undefined {
  const y = Buffer.from(raw);
  y[31] = y[31]! & 0x7f;
  if (!isBelowPrime(y)) return 'The point is not canonically encoded';
  if (SMALL_ORDER_Y.has(y.toString('hex'))) return 'The point has small order';
  return undefined;
}
