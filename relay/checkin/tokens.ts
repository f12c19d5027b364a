import { randomFillSync } from 'node:crypto';

const COUNTER_BYTES = 5;
const RANDOM_BYTES = 3;
const MAC_BYTES = 8;
const HEAD_BYTES = COUNTER_BYTES + RANDOM_BYTES;
const TOKEN_BYTES = HEAD_BYTES + MAC_BYTES;
const MAX_COUNTER = 2 ** 40 - 1;
const POOL_BYTES = RANDOM_BYTES * 256;
const PATTERN = /^[A-Za-z0-9_-]{22}$/;

/** Whose chain a token belongs to. A token of another box or epoch proves nothing. */
export interface TokenOwner {
  readonly applianceId: string;
  readonly epoch: number;
}

/** Proves to the relay itself that it made a token; at least 8 bytes. */
export type TokenMac = (bytes: Uint8Array) => Buffer;

export interface CheckinTokens {
  /** Random bytes for one token, drawn ahead so that what decides is pure. */
  draw(): Buffer;
  /** 22 characters of base64url: counter, random bytes, MAC over both and the owner. The same input gives the same token. */
  issue(owner: TokenOwner, counter: number, random: Uint8Array): string;
  /** The counter of a token this relay made for this owner; null for any other text, like a token without a MAC. */
  counterOf(owner: TokenOwner, token: string | null): number | null;
}

export function createCheckinTokens(mac: TokenMac): CheckinTokens {
  const pool = Buffer.alloc(POOL_BYTES);
  let at = pool.length;

  const macOf = ({ applianceId, epoch }: TokenOwner, head: Uint8Array) =>
    mac(Buffer.concat([Buffer.from(`checkin-token\n${applianceId}\n${epoch}\n`), head])).subarray(0, MAC_BYTES);

  return {
    // One call of the system for many tokens: one each costs more than a check-in's row.
    draw() {
      if (at === pool.length) {
        randomFillSync(pool);
        at = 0;
      }
      at += RANDOM_BYTES;
      return Buffer.from(pool.subarray(at - RANDOM_BYTES, at));
    },
    issue(owner, counter, random) {
      const head = Buffer.alloc(HEAD_BYTES);
      head.writeUIntBE(Math.min(counter, MAX_COUNTER), 0, COUNTER_BYTES);
      head.set(random.subarray(0, RANDOM_BYTES), COUNTER_BYTES);
      return Buffer.concat([head, macOf(owner, head)], TOKEN_BYTES).toString('base64url');
    },
    counterOf(owner, token) {
      if (token === null || !PATTERN.test(token)) return null;
      const bytes = Buffer.from(token, 'base64url');
      const head = bytes.subarray(0, HEAD_BYTES);
      // Nothing secret hangs on how long this takes: a token is no key, every check-in is signed by the box.
      return macOf(owner, head).equals(bytes.subarray(HEAD_BYTES)) ? head.readUIntBE(0, COUNTER_BYTES) : null;
    },
  };
}
