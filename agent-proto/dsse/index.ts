/** DSSE v1 envelopes, one Ed25519 signature each, with exactly one serialization. */
export { decodeEnvelope, type Envelope, encodeEnvelope, envelopeBytes, MAX_ENVELOPE_BYTES } from './envelope.ts';
export { pae } from './pae.ts';
export { type SignInput, signEnvelope, verifyEnvelope, verifyEnvelopeAsync } from './sign.ts';
