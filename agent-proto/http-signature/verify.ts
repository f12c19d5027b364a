import type { KeyObject } from 'node:crypto';
import { verify, verifyAsync } from '../keys/index.ts';
import { fieldValue, signatureBase } from './base.ts';
import { isDigestOf } from './digest.ts';
import { type ParsedSignature, parseSignature } from './parse.ts';
import { CHECKIN_TOKEN_HEADER, type RequestParts, type SignatureCode } from './profile.ts';

/** A received request; `body` is the raw bytes as they came. */
export type ReceivedRequest = RequestParts & { body: Uint8Array };

/** `nowS` and `maxSkewS` in seconds; the skew counts in both directions. */
export type VerifyOptions = { nowS: number; maxSkewS: number };

/** `checkinToken` as it was sent and signed; null when none was. */
export type SignatureAccepted = {
  ok: true;
  keyId: string;
  createdS: number;
  nonce: string;
  checkinToken: string | null;
};

/** `offsetS` (their clock minus ours, seconds) only with CLOCK_SKEW. */
export type SignatureRefused = { ok: false; code: SignatureCode; offsetS?: number };

export type SignatureVerdict = SignatureAccepted | SignatureRefused;

type Ready = { parsed: ParsedSignature; base: Buffer; checkinToken: string | null };

/** Everything but the signature itself, cheapest first. */
function prepare(request: ReceivedRequest, { nowS, maxSkewS }: VerifyOptions): Ready | SignatureRefused {
  const parsed = parseSignature(request.headers);
  if (!parsed.ok) return parsed;
  const digest = fieldValue(request.headers, 'content-digest');
  const base = signatureBase(parsed.components, parsed.params, request);
  if (digest === undefined || base === undefined) return { ok: false, code: 'SIGNATURE_COMPONENTS' };
  const checkinToken = fieldValue(request.headers, CHECKIN_TOKEN_HEADER) ?? null;
  // One that is not signed could be anybody's.
  if (checkinToken !== null && !parsed.components.includes(CHECKIN_TOKEN_HEADER))
    return { ok: false, code: 'SIGNATURE_COMPONENTS' };
  const offsetS = parsed.createdS - nowS;
  // Written so that a NaN clock refuses.
  if (!(Math.abs(offsetS) <= maxSkewS)) return { ok: false, code: 'CLOCK_SKEW', offsetS };
  if (!isDigestOf(digest, request.body)) return { ok: false, code: 'DIGEST_MISMATCH' };
  return { parsed, base: Buffer.from(base, 'latin1'), checkinToken };
}

function conclude(isValid: boolean, { parsed: { keyId, createdS, nonce }, checkinToken }: Ready): SignatureVerdict {
  return isValid ? { ok: true, keyId, createdS, nonce, checkinToken } : { ok: false, code: 'SIGNATURE_INVALID' };
}

/**
 * Is this request, as received, signed by `publicKey`? The caller finds the key by `parseSignature(...).keyId` and
 * remembers nonces for 2 * maxSkewS seconds. Never throws.
 */
export function verifyRequest(
  request: ReceivedRequest,
  publicKey: KeyObject,
  options: VerifyOptions,
): SignatureVerdict {
  const ready = prepare(request, options);
  if ('ok' in ready) return ready;
  return conclude(verify(publicKey, ready.base, ready.parsed.signature), ready);
}

/** The same with the signature checked on the thread pool. */
export async function verifyRequestAsync(
  request: ReceivedRequest,
  publicKey: KeyObject,
  options: VerifyOptions,
): Promise<SignatureVerdict> {
  const ready = prepare(request, options);
  if ('ok' in ready) return ready;
  return conclude(await verifyAsync(publicKey, ready.base, ready.parsed.signature), ready);
}
