/** RFC 9421 request signatures with RFC 9530 digests: Ed25519, one fixed set of covered components. */
export { signatureBase } from './base.ts';
export { contentDigest, isDigestOf } from './digest.ts';
export { type ParsedSignature, type ParseFailure, parseGeneral, parseOwn, parseSignature } from './parse.ts';
export {
  CHECKIN_TOKEN_HEADER,
  COVERED,
  type Headers,
  LABEL,
  type RequestParts,
  SIGNATURE_CODES,
  type SignatureCode,
  TAG,
} from './profile.ts';
export { makeNonce, type SignedHeaders, type SignRequestInput, signRequest } from './sign.ts';
export {
  type ReceivedRequest,
  type SignatureAccepted,
  type SignatureRefused,
  type SignatureVerdict,
  type VerifyOptions,
  verifyRequest,
  verifyRequestAsync,
} from './verify.ts';
