import type { KeyObject } from 'node:crypto';
import { ProtoError } from '../errors/index.ts';
import { verify, verifyAsync } from '../keys/index.ts';
import type { Envelope } from './envelope.ts';
import { pae } from './pae.ts';

/** What to sign; `sign` gets the PAE bytes and answers with 64 bytes, at once or later. */
export type SignInput<S> = { payloadType: string; payload: Uint8Array; keyId: string; sign: (bytes: Uint8Array) => S };

/** Signs; answers with an Envelope when `sign` is synchronous and with a promise of one when it is not. */
export function signEnvelope(input: SignInput<Uint8Array>): Envelope;
export function signEnvelope(input: SignInput<Promise<Uint8Array>>): Promise<Envelope>;
export function signEnvelope(input: SignInput<Uint8Array | Promise<Uint8Array>>): Envelope | Promise<Envelope>;
export function signEnvelope(input: SignInput<Uint8Array | Promise<Uint8Array>>): Envelope | Promise<Envelope> {
  const { payloadType, payload, keyId } = input;
  const signed = input.sign(pae(payloadType, payload));
  if (signed instanceof Promise) return signed.then((signature) => ({ payloadType, payload, keyId, signature }));
  return { payloadType, payload, keyId, signature: signed };
}

/** The payload, once the signature holds under `publicKey`. Throws DSSE_SIGNATURE. */
export function verifyEnvelope(envelope: Envelope, publicKey: KeyObject): Uint8Array {
  const isValid = verify(publicKey, pae(envelope.payloadType, envelope.payload), envelope.signature);
  if (!isValid) throw new ProtoError('DSSE_SIGNATURE');
  return envelope.payload;
}

/** The same on the thread pool. Rejects with DSSE_SIGNATURE. */
export async function verifyEnvelopeAsync(envelope: Envelope, publicKey: KeyObject): Promise<Uint8Array> {
  const isValid = await verifyAsync(publicKey, pae(envelope.payloadType, envelope.payload), envelope.signature);
  if (!isValid) throw new ProtoError('DSSE_SIGNATURE');
  return envelope.payload;
}
