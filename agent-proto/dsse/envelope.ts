import { ProtoError } from '../errors/index.ts';
import { decodeBase64, SIGNATURE_BYTES } from '../keys/index.ts';

/** A DSSE envelope in memory: exactly one Ed25519 signature, everything already out of base64. */
export type Envelope = { payloadType: string; payload: Uint8Array; keyId: string; signature: Uint8Array };

export const MAX_ENVELOPE_BYTES = 60_000;

/** Printable ASCII without quote and backslash: nothing here ever needs a JSON escape. */
const PLAIN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const MAX_PLAIN_CHARS = 255;

function isPlain(text: unknown): text is string {
  return typeof text === 'string' && text.length <= MAX_PLAIN_CHARS && PLAIN.test(text);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function envelopeText(envelope: Envelope): string {
  const { payloadType, payload, keyId, signature } = envelope;
  if (!isPlain(payloadType)) throw new ProtoError('DSSE_FORMAT', 'payloadType is not 1 to 255 plain ASCII characters');
  if (!isPlain(keyId)) throw new ProtoError('DSSE_FORMAT', 'keyid is not 1 to 255 plain ASCII characters');
  if (signature.length !== SIGNATURE_BYTES) throw new ProtoError('DSSE_FORMAT', 'sig is not 64 bytes');
  return `{"payloadType":"${payloadType}","payload":"${base64(payload)}","signatures":[{"keyid":"${keyId}","sig":"${base64(signature)}"}]}`;
}

/** How long `encodeEnvelope` makes it, for a payload of so many bytes. */
export function envelopeBytes(envelope: { payloadType: string; keyId: string; payloadBytes: number }): number {
  const { payloadType, keyId, payloadBytes } = envelope;
  const empty = { payloadType, keyId, payload: new Uint8Array(), signature: new Uint8Array(SIGNATURE_BYTES) };
  return envelopeText(empty).length + 4 * Math.ceil(payloadBytes / 3);
}

/** The one serialization of an envelope. Throws DSSE_FORMAT for unusable members, DSSE_SIZE beyond 60,000 bytes. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const text = envelopeText(envelope);
  if (text.length > MAX_ENVELOPE_BYTES) throw new ProtoError('DSSE_SIZE', `The envelope has ${text.length} bytes`);
  return Buffer.from(text, 'latin1');
}

type Wire = { payloadType?: unknown; payload?: unknown; signatures?: { keyid?: unknown; sig?: unknown }[] };

function parseWire(text: string): Wire | undefined {
  try {
    const wire = JSON.parse(text);
    return typeof wire === 'object' && wire !== null ? wire : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads what `encodeEnvelope` writes and nothing else: member order, spacing, escapes, unknown or repeated members,
 * and base64 that is not canonical are all DSSE_FORMAT, because only one byte string may stand for an envelope.
 * Throws DSSE_SIZE beyond 60,000 bytes.
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length > MAX_ENVELOPE_BYTES) throw new ProtoError('DSSE_SIZE', `The envelope has ${bytes.length} bytes`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const wire = parseWire(text);
  if (!wire) throw new ProtoError('DSSE_FORMAT', 'The bytes are not a JSON object');
  const only = Array.isArray(wire.signatures) ? wire.signatures[0] : undefined;
  const payload = typeof wire.payload === 'string' ? decodeBase64(wire.payload) : undefined;
  const signature = typeof only?.sig === 'string' ? decodeBase64(only.sig) : undefined;
  if (!payload) throw new ProtoError('DSSE_FORMAT', 'payload is not canonical base64');
  if (!signature) throw new ProtoError('DSSE_FORMAT', 'sig is not canonical base64');
  const envelope = { payloadType: wire.payloadType, payload, keyId: only?.keyid, signature } as Envelope;
  if (envelopeText(envelope) !== text)
    throw new ProtoError('DSSE_FORMAT', 'The bytes are not the strict serialization');
  return envelope;
}
