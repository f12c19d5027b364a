import { parseCanonical } from '@sitewarden/agent-proto/canonical';
import { decodeEnvelope, verifyEnvelope } from '@sitewarden/agent-proto/dsse';
import {
  compile,
  OrderPayload,
  PAYLOAD_TYPES,
  type RelayKeyPurpose,
  RelayKeys,
  ReleasePayload,
  SignedTime,
  SiteConfig,
  type Validator,
} from '@sitewarden/agent-proto/http';
import { fingerprint, publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import { lazily } from './lazily.ts';

/** Why a signed statement is not believed. Never holds the statement itself. */
export class TrustError extends Error {
  override readonly name = 'TrustError';
}

interface Signed<T> {
  readonly payloadType: string;
  /** Raw public keys, base64url, any of which may have signed. */
  readonly keys: readonly string[];
  readonly validate: Validator<T>;
}

/** Envelope, type, a known key, its signature, canonical form, schema: in this order. Throws TrustError. */
export function readSigned<T>(text: string, { payloadType, keys, validate }: Signed<T>): T {
  let payload: Uint8Array;
  try {
    const envelope = decodeEnvelope(Buffer.from(text, 'latin1'));
    if (envelope.payloadType !== payloadType) throw new TrustError(`It is not a ${payloadType}`);
    const key = keys.find((one) => fingerprint(one) === envelope.keyId);
    if (key === undefined) throw new TrustError('It is signed by a key that is not known');
    payload = verifyEnvelope(envelope, publicKeyFromRaw(key));
  } catch (error) {
    if (error instanceof TrustError) throw error;
    throw new TrustError(error instanceof Error ? error.message : 'It cannot be read');
  }
  const valid = validate(parse(payload));
  if (!valid.ok) throw new TrustError(`${valid.field} ${valid.detail}`);
  return valid.value;
}

function parse(payload: Uint8Array): unknown {
  try {
    return parseCanonical(payload);
  } catch {
    throw new TrustError('It is not canonical JSON');
  }
}

const validators = {
  relayKeys: lazily(() => compile(RelayKeys)),
  siteConfig: lazily(() => compile(SiteConfig)),
  order: lazily(() => compile(OrderPayload)),
  time: lazily(() => compile(SignedTime)),
  release: lazily(() => compile(ReleasePayload)),
};

/** The relay's working keys, if the pinned root key signed them. Throws TrustError. */
export function readRelayKeys(text: string, rootKey: string): RelayKeys {
  const keys = readSigned(text, {
    payloadType: PAYLOAD_TYPES.relayKeys,
    keys: [rootKey],
    validate: validators.relayKeys(),
  });
  for (const purpose of ['config', 'order', 'time', 'witness', 'mirror'] as const) {
    for (const { keyId, publicKey } of keys[purpose]) {
      if (fingerprintOf(publicKey) !== keyId) throw new TrustError(`A ${purpose} key does not have its fingerprint`);
    }
  }
  return keys;
}

function fingerprintOf(publicKey: string): string | undefined {
  try {
    return fingerprint(publicKey);
  } catch {
    return undefined;
  }
}

const rawKeys = (keys: RelayKeys, purpose: RelayKeyPurpose): string[] => keys[purpose].map((key) => key.publicKey);

/** Throws TrustError. */
export function readSiteConfig(text: string, keys: RelayKeys): SiteConfig {
  const validate = validators.siteConfig();
  return readSigned(text, { payloadType: PAYLOAD_TYPES.siteConfig, keys: rawKeys(keys, 'config'), validate });
}

/** Throws TrustError. */
export function readOrder(text: string, keys: RelayKeys): OrderPayload {
  return readSigned(text, {
    payloadType: PAYLOAD_TYPES.order,
    keys: rawKeys(keys, 'order'),
    validate: validators.order(),
  });
}

/** Throws TrustError. */
export function readRelease(text: string, keys: RelayKeys): ReleasePayload {
  const validate = validators.release();
  return readSigned(text, { payloadType: PAYLOAD_TYPES.release, keys: rawKeys(keys, 'config'), validate });
}

/** Milliseconds, when the envelope was made over this very nonce. Throws TrustError. */
export function readSignedTime(text: string, keys: RelayKeys, nonce: string): number {
  const validate = validators.time();
  const time = readSigned(text, { payloadType: PAYLOAD_TYPES.time, keys: rawKeys(keys, 'time'), validate });
  if (time.nonce !== nonce) throw new TrustError('It was made over another nonce');
  return time.timeMs;
}
