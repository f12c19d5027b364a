import { isUtf8 } from 'node:buffer';
import canonicalize from 'canonicalize';
import { ProtoError } from '../errors/index.ts';
import { profileCopy } from './profile.ts';

function canonicalText(value: unknown): string {
  return canonicalize(profileCopy(value)) as string;
}

/**
 * RFC 8785 bytes of a value made of objects, arrays, strings, booleans, null and safe integers.
 * Throws CANONICAL_VALUE, naming the member, for everything else: undefined members must be left out by the caller.
 */
export function canonicalBytes(value: unknown): Uint8Array {
  return Buffer.from(canonicalText(value), 'utf8');
}

/**
 * The value of bytes that are exactly canonical. Throws CANONICAL_FORM for anything a second writer could have
 * written otherwise (spaces, member order, duplicate members, escapes, BOM, bad UTF-8), CANONICAL_VALUE for values
 * outside the profile.
 */
export function parseCanonical(bytes: Uint8Array): unknown {
  if (!isUtf8(bytes)) throw new ProtoError('CANONICAL_FORM', 'The bytes are not UTF-8');
  // Unlike TextDecoder this keeps a BOM, which then fails to parse.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProtoError('CANONICAL_FORM', 'The bytes are not JSON');
  }
  if (canonicalText(value) !== text) throw new ProtoError('CANONICAL_FORM');
  return value;
}
