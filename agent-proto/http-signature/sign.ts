import { type KeyObject, randomBytes } from 'node:crypto';
import { ProtoError } from '../errors/index.ts';
import { sign } from '../keys/index.ts';
import { signatureBase } from './base.ts';
import { contentDigest } from './digest.ts';
import { isCheckinToken, isKeyId, isNonce, ownParams } from './parse.ts';
import { CHECKIN_TOKEN_HEADER, COVERED, LABEL } from './profile.ts';

/** `url` absolute; `body` the exact bytes to send (none counts as empty); `keyId` the key's fingerprint. */
export type SignRequestInput = {
  method: string;
  url: string | URL;
  body?: Uint8Array | string | undefined;
  keyId: string;
  privateKey: KeyObject;
  createdS: number;
  nonce: string;
  /** The newest check-in token, where the route asks for it. */
  checkinToken?: string | undefined;
};

/** The headers to send along with the request. */
export type SignedHeaders = {
  'content-digest': string;
  'signature-input': string;
  signature: string;
  'sitewarden-checkin-token'?: string;
};

/** 16 random bytes in base64url, 22 characters. */
export function makeNonce(): string {
  return randomBytes(16).toString('base64url');
}

function refuse(detail: string): never {
  throw new ProtoError('HTTP_SIGNATURE_INPUT', detail);
}

/** Signs a request in the sitewarden-v1 profile. Throws HTTP_SIGNATURE_INPUT naming the field. */
export function signRequest(input: SignRequestInput): SignedHeaders {
  const { method, body = '', keyId, createdS, nonce, checkinToken } = input;
  if (!isKeyId(keyId)) refuse('keyId is not a 43-character fingerprint');
  if (!isNonce(nonce)) refuse('nonce is not 16 bytes in base64url');
  if (checkinToken !== undefined && !isCheckinToken(checkinToken))
    refuse('checkinToken is not 22 characters of base64url');
  if (!Number.isSafeInteger(createdS) || createdS < 0 || createdS > 999_999_999_999_999)
    refuse('createdS is out of range');
  const url =
    typeof input.url === 'string' && !URL.canParse(input.url) ? refuse('url is not absolute') : new URL(input.url);
  const isTokenCovered = checkinToken !== undefined;
  const headers = {
    'content-digest': contentDigest(typeof body === 'string' ? Buffer.from(body) : body),
    ...(isTokenCovered ? { [CHECKIN_TOKEN_HEADER]: checkinToken } : {}),
  };
  const params = ownParams({ createdS, nonce, keyId }, { isTokenCovered });
  const request = { method, authority: url.host, path: url.pathname, query: url.search, headers };
  const base =
    signatureBase(isTokenCovered ? [...COVERED, CHECKIN_TOKEN_HEADER] : COVERED, params, request) ??
    refuse('method or url holds characters HTTP does not allow');
  const signature = Buffer.from(sign(input.privateKey, Buffer.from(base, 'latin1'))).toString('base64');
  return { ...headers, 'signature-input': `${LABEL}=${params}`, signature: `${LABEL}=:${signature}:` };
}
