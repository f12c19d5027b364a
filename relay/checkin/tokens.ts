import { randomFillSync } from 'node:crypto';

const TOKEN_BYTES = 16;
const POOL_TOKENS = 256;

/** A source of 128-bit tokens in base64url. Asks the system for many at once: one call each costs more than a check-in's row. */
export function createTokenSource(): () => string {
  const pool = Buffer.alloc(TOKEN_BYTES * POOL_TOKENS);
  let at = pool.length;
  return () => {
    if (at === pool.length) {
      randomFillSync(pool);
      at = 0;
    }
    at += TOKEN_BYTES;
    return pool.toString('base64url', at - TOKEN_BYTES, at);
  };
}
