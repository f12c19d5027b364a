import { randomBytes } from 'node:crypto';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const BODY_LENGTH = 26;
/** 26 characters carry 130 bits, so the last one of 128 holds only three: multiples of four. */
const BODY = /^[a-z2-7]{25}[aeimquy4]$/;

/** `<prefix>_<26 characters of a-z2-7>`, 128 random bits. Fits a URL, a file name and a host label. */
export function newId(prefix: string): string {
  return `${prefix}_${encodeBase32(randomBytes(16))}`;
}

export function isId(prefix: string, value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length === prefix.length + 1 + BODY_LENGTH &&
    value.startsWith(`${prefix}_`) &&
    BODY.test(value.slice(prefix.length + 1))
  );
}

/** RFC 4648 base32, lower case, without padding. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(buffer >> bits) & 31];
    }
    buffer &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + ALPHABET[(buffer << (5 - bits)) & 31];
}
