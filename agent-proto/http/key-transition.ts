import { type Static, Type } from '@sinclair/typebox';
import { closed, Fingerprint, oneOf, PublicKey } from './common.ts';

/** Keys of a box that can be replaced without claiming it again. */
export const ROTATED_KEYS = ['dik', 'evk'] as const;

/**
 * That one key takes the place of another. Both sign these members as DSSE does (payload type
 * PAYLOAD_TYPES.keyTransition over the canonical JSON).
 */
export const KeyTransition = closed({
  key: oneOf(ROTATED_KEYS),
  owner: Type.String({ maxLength: 512, description: 'dik: the appliance id; evk: the origin of the log' }),
  oldKey: PublicKey,
  newKey: PublicKey,
});
export type KeyTransition = Static<typeof KeyTransition>;

const Signature = Type.String({ pattern: '^[A-Za-z0-9_-]{86}$', description: 'Ed25519, base64url' });

/** POST /api/appliances/keys, signed by the old dik. Owner and old key are those of the caller. */
export const KeyTransitionRequest = closed({ newKey: PublicKey, oldSignature: Signature, newSignature: Signature });
export type KeyTransitionRequest = Static<typeof KeyTransitionRequest>;

/** `fingerprint` of the new key: from now on requests signed by it are taken, and the first one retires the old key. */
export const KeyTransitionAnswer = closed({ fingerprint: Fingerprint });
export type KeyTransitionAnswer = Static<typeof KeyTransitionAnswer>;
