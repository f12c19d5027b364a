import { parseCanonical } from '../canonical/index.ts';
import { decodeEnvelope, verifyEnvelope } from '../dsse/index.ts';
import type { Validator } from '../http/index.ts';
import { fingerprint, publicKeyFromRaw } from '../keys/index.ts';

/**
 * The payload of an envelope: its type, one of the raw public keys, its signature, canonical form and schema, in this
 * order. Throws ProtoError, or TypeError saying what does not fit.
 */
export function readSignedPayload<T>(
  text: string,
  { payloadType, keys, validate }: { payloadType: string; keys: readonly string[]; validate: Validator<T> },
): T {
  const envelope = decodeEnvelope(Buffer.from(text, 'latin1'));
  if (envelope.payloadType !== payloadType) throw new TypeError(`It is not a ${payloadType}`);
  const key = keys.find((one) => fingerprint(one) === envelope.keyId);
  if (key === undefined) throw new TypeError('It is signed by a key that is not known');
  const valid = validate(parseCanonical(verifyEnvelope(envelope, publicKeyFromRaw(key))));
  if (!valid.ok) throw new TypeError(`${valid.field} ${valid.detail}`);
  return valid.value;
}
