import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { canonicalBytes } from '@sitewarden/agent-proto/canonical';
import { decodeEnvelope, encodeEnvelope, signEnvelope } from '@sitewarden/agent-proto/dsse';
import { PAYLOAD_TYPES, RELAY_KEY_PURPOSES, type RelayKeyPurpose, type RelayKeys } from '@sitewarden/agent-proto/http';
import { fingerprint, rawPublicKey, sign } from '@sitewarden/agent-proto/keys';
import { cosign, encodeVkey, NOTE_KEY_TYPES } from '@sitewarden/agent-proto/note';
import { relayErrors } from '../errors.ts';
import {
  ensureTokenSecret,
  hasKeys,
  makeKeyFiles,
  readFormerlyPublished,
  readKeySlots,
  rootKeyPath,
  writePublished,
} from './files.ts';
import type { CosignPurpose, RelayKeyring, StatementPurpose } from './types.ts';

const TYPE_OF = {
  config: PAYLOAD_TYPES.siteConfig,
  order: PAYLOAD_TYPES.order,
  time: PAYLOAD_TYPES.time,
} as const satisfies Record<StatementPurpose, string>;

/** Name on a cosignature line and in its verifier key. */
export const cosignerName = (host: string, purpose: CosignPurpose): string => `${host}/${purpose}`;

function envelopeText(key: KeyObject, payloadType: string, payload: object): string {
  const keyId = fingerprint(rawPublicKey(key));
  const envelope = signEnvelope({
    payloadType,
    payload: canonicalBytes(payload),
    keyId,
    sign: (bytes: Uint8Array): Uint8Array => sign(key, bytes),
  });
  return Buffer.from(encodeEnvelope(envelope)).toString('latin1');
}

/** The list of working keys as boxes are given it. */
export const publishedText = (root: KeyObject, published: RelayKeys): string =>
  envelopeText(root, PAYLOAD_TYPES.relayKeys, published);

export function workingKey(key: KeyObject) {
  const publicKey = rawPublicKey(key);
  return { keyId: fingerprint(publicKey), publicKey };
}

/**
 * Makes the root key and the working keys of a relay and publishes them. Answers with the root's public key, which boxes
 * must be given, and where its private half lies. Throws KEYS_EXIST.
 */
export async function initKeys(input: {
  dataDir: string;
  host: string;
  nowMs: number;
}): Promise<{ rootPublicKey: string; rootKeyFile: string }> {
  const { dataDir, host, nowMs } = input;
  const { root, working } = await makeKeyFiles(dataDir);
  const lists = Object.fromEntries(
    RELAY_KEY_PURPOSES.map((purpose) => [purpose, [workingKey(working[purpose])]]),
  ) as Pick<RelayKeys, RelayKeyPurpose>;
  const published: RelayKeys = { host, generation: 1, issuedAtMs: nowMs, ...lists };
  await writePublished(dataDir, { text: publishedText(root, published) });
  return { rootPublicKey: rawPublicKey(root), rootKeyFile: rootKeyPath(dataDir) };
}

export { hasKeys };

/** Reads the working keys and holds them against what the root key signed. Throws KEYS_MISSING, KEYS_INVALID. */
export async function loadKeyring(input: { dataDir: string; host: string }): Promise<RelayKeyring> {
  const slots = await readKeySlots(input.dataDir);
  const { host } = input;
  const published = readPublished(slots.publishedText);
  if (published.host !== host) {
    throw relayErrors.make('KEYS_INVALID', {
      detail: `The keys were made for ${published.host}, this relay is ${host}`,
    });
  }
  const inUse = RELAY_KEY_PURPOSES.map((purpose) => {
    const { first, next } = slots.keys[purpose];
    const found = [first, next].find((key) => key && workingKey(key).keyId === published[purpose][0]?.keyId);
    if (found !== undefined) return [purpose, found] as const;
    throw relayErrors.make('KEYS_INVALID', { detail: `The ${purpose} key is not the one the root key signed` });
  });
  const working = Object.fromEntries(inUse) as Record<RelayKeyPurpose, KeyObject>;
  const former = (await readFormerlyPublished(input.dataDir)).map((text) => ({ text, keys: readPublished(text) }));
  const tokenKey = createSecretKey(await ensureTokenSecret(input.dataDir));
  return {
    host,
    published,
    publishedText: slots.publishedText,
    formerlyPublished: former,
    sign: (purpose, payload, type) =>
      envelopeText(working[purpose], type === undefined ? TYPE_OF[purpose] : PAYLOAD_TYPES[type], payload),
    cosign: (purpose, note, timestampS) =>
      cosign(note, { name: cosignerName(host, purpose), privateKey: working[purpose], timestampS }),
    tokenMac: (bytes) => createHmac('sha256', tokenKey).update(bytes).digest(),
    vkey: (purpose) => vkeyOf(host, purpose, rawPublicKey(working[purpose])),
    formerVkeys(purpose) {
      const used = former.flatMap(({ keys }) => keys[purpose].slice(0, 1)).map(({ publicKey }) => publicKey);
      const now = rawPublicKey(working[purpose]);
      return [...new Set(used)].filter((key) => key !== now).map((key) => vkeyOf(host, purpose, key));
    },
  };
}

const vkeyOf = (host: string, purpose: CosignPurpose, publicKey: string): string =>
  encodeVkey({ name: cosignerName(host, purpose), publicKey, type: NOTE_KEY_TYPES.cosignature });

/** What an envelope of this relay says, from its own file or table: read, not trusted anew. Throws on what is no envelope. */
export function ownPayload<T>(envelope: string): T {
  const { payload } = decodeEnvelope(Buffer.from(envelope, 'latin1'));
  return JSON.parse(Buffer.from(payload).toString('utf8')) as T;
}

export function readPublished(text: string): RelayKeys {
  try {
    return ownPayload<RelayKeys>(text);
  } catch (cause) {
    throw relayErrors.make('KEYS_INVALID', { detail: 'relay-keys.json cannot be read', cause });
  }
}
