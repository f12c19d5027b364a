import { createHash } from 'node:crypto';
import { type Static, Type } from '@sinclair/typebox';
import {
  Count,
  closed,
  EnvelopeText,
  Fingerprint,
  Id,
  Nonce,
  Nullable,
  oneOf,
  PublicKey,
  ShortText,
  UnixMs,
} from './common.ts';

/** The public halves a box is known by. `siteCaCsr`: PKCS#10 PEM of the site CA, proves possession and pins the CA. */
export const BoxKeys = closed({
  dik: PublicKey,
  evk: PublicKey,
  seal: PublicKey,
  siteCaCsr: Type.String({ maxLength: 2048, pattern: '^-----BEGIN CERTIFICATE REQUEST-----' }),
});
export type BoxKeys = Static<typeof BoxKeys>;

const BoxFacts = {
  keys: BoxKeys,
  serial: Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$', description: 'telemetry, never identity' }),
  model: ShortText,
  softwareVersion: Type.String({ pattern: '^[0-9A-Za-z.+-]{1,64}$' }),
  imageDigest: Type.String({ pattern: '^(sha256:[0-9a-f]{64}|unpackaged)$' }),
};

/** POST /api/provision/start: the box shows the code. `commitment` = base64url(SHA-256(boxNonce bytes)). */
export const ProvisionStartRequest = closed({ ...BoxFacts, commitment: Fingerprint });
export type ProvisionStartRequest = Static<typeof ProvisionStartRequest>;

export const ProvisionStartResponse = closed({
  session: Id('ps'),
  relayNonce: Nonce,
  expiresAtMs: UnixMs,
  pollAfterMs: Count,
  claimUrl: Type.String({
    maxLength: 512,
    description: 'https://RELAY/claim#v1.<secret>.<dik fingerprint>: what the QR code says',
  }),
  relayKeys: EnvelopeText,
});
export type ProvisionStartResponse = Static<typeof ProvisionStartResponse>;

export const CODE_ALPHABET = 'BCDFGHJKLMNPQRSTVWXZ';

/** POST /api/provision/claim: the partner printed the code, the box sends it. */
export const ProvisionClaimRequest = closed({
  ...BoxFacts,
  boxNonce: Nonce,
  code: Type.Union([
    closed({ form: Type.Literal('qr'), secret: Nonce }),
    closed({
      form: Type.Literal('typed'),
      locator: Type.String({ pattern: `^[${CODE_ALPHABET}]{4}$` }),
      secret: Type.String({ pattern: `^[${CODE_ALPHABET}]{10}$` }),
    }),
  ]),
});
export type ProvisionClaimRequest = Static<typeof ProvisionClaimRequest>;

/** started: shown, nobody claimed. claimed: waits for approval. approved: the grant is ready. acknowledged: the box has it on disk. */
export const PROVISION_STATES = ['started', 'claimed', 'approved', 'acknowledged', 'rejected', 'expired'] as const;
export type ProvisionState = (typeof PROVISION_STATES)[number];

/** The log before this one, of the same appliance under another key or of the site before: what of it the relay has cosigned. */
export const PreviousLog = closed({
  /** Of a box that was moved here from another site: its log there. */
  origin: Type.Optional(ShortText),
  epoch: Type.Integer({ minimum: 1 }),
  size: Count,
  rootHash: Type.String({ pattern: '^([0-9a-f]{64})?$', description: 'empty when nothing was cosigned' }),
});
export type PreviousLog = Static<typeof PreviousLog>;

export const ProvisionGrant = closed({
  applianceId: Id('app'),
  siteId: Id('site'),
  siteName: ShortText,
  partnerName: ShortText,
  epoch: Type.Integer({ minimum: 1 }),
  claimedBy: ShortText,
  claimedAtMs: UnixMs,
  codeId: Type.String({ maxLength: 64, description: 'the provisioning code or session that led here' }),
  config: EnvelopeText,
  relayKeys: EnvelopeText,
  /** Only when the box was re-armed, or moved here from another site of the partner. */
  previous: Type.Optional(PreviousLog),
});
export type ProvisionGrant = Static<typeof ProvisionGrant>;

/** Answer of claim and of status. */
export const ProvisionAnswer = closed({
  session: Id('ps'),
  state: oneOf(PROVISION_STATES),
  relayNonce: Nonce,
  number: Type.String({ pattern: '^[0-9]{8}$', description: 'confirmation number, must equal the one on the box' }),
  pollAfterMs: Count,
  grant: Type.Optional(ProvisionGrant),
});
export type ProvisionAnswer = Static<typeof ProvisionAnswer>;

/** POST /api/provision/status. The first call reveals the nonce behind the commitment. */
export const ProvisionStatusRequest = closed({ session: Id('ps'), boxNonce: Nonce });
export type ProvisionStatusRequest = Static<typeof ProvisionStatusRequest>;

/** What the claim doctor looks at, in the order in which a connection comes about. */
export const DOCTOR_STEPS = ['link', 'address', 'dns', 'tcp', 'tls', 'http', 'clock', 'disk', 'site'] as const;
export type DoctorStep = (typeof DOCTOR_STEPS)[number];

/** `code`: what is wrong, for programs; null when nothing is. `text`: a sentence, which ends with what to do where it failed. */
export const DoctorFinding = closed({
  name: oneOf(DOCTOR_STEPS),
  state: oneOf(['ok', 'failed', 'skipped'] as const),
  code: Nullable(Type.String({ pattern: '^[A-Z][A-Z_]{0,39}$' })),
  text: Type.String({ minLength: 1, maxLength: 512, pattern: '^[^\\p{C}]*$', description: 'no control characters' }),
});
export type DoctorFinding = Static<typeof DoctorFinding>;

/** POST /api/provision/doctor: what the box sees of its way, for the phone in front of it. A relay without it answers 404. */
export const ProvisionDoctorRequest = closed({
  session: Id('ps'),
  findings: Type.Array(DoctorFinding, { minItems: 1, maxItems: DOCTOR_STEPS.length }),
});
export type ProvisionDoctorRequest = Static<typeof ProvisionDoctorRequest>;

/** POST /api/provision/ack: config and ids are fsynced on the box. */
export const ProvisionAckRequest = closed({ session: Id('ps'), applianceId: Id('app'), configGeneration: Count });
export type ProvisionAckRequest = Static<typeof ProvisionAckRequest>;

export const Acknowledged = closed({ ok: Type.Literal(true) });

/** What a scanned QR code of a partner says: https://RELAY/code#v1.<secret>. */
export const codeUrl = (relayOrigin: string, secret: string): string => `${relayOrigin}/code#v1.${secret}`;

/**
 * The 8-digit number both screens show. The box commits to its nonce before it sees the relay's, so neither side, nor
 * anyone between them, can steer the number.
 */
export function confirmationNumber(
  keys: Pick<BoxKeys, 'dik' | 'evk' | 'seal'>,
  boxNonce: string,
  relayNonce: string,
): string {
  const hash = createHash('sha256')
    .update(['sitewarden-claim-number-v1', keys.dik, keys.evk, keys.seal, boxNonce, relayNonce].join('\n'))
    .digest();
  return (hash.readBigUInt64BE(0) % 100_000_000n).toString().padStart(8, '0');
}

export const nonceCommitment = (boxNonce: string): string =>
  createHash('sha256').update(Buffer.from(boxNonce, 'base64url')).digest('base64url');
