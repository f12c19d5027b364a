import { type Static, Type } from '@sinclair/typebox';
import { CHECK_NAMES } from '../checks/index.ts';
import { Count, closed, Fingerprint, Id, oneOf, PublicKey, ShortText, UnixMs } from './common.ts';
import { SECRET_LIMITS, SealedSecret } from './site-secrets.ts';

/** Signed by the relay's `config` key; payload type PAYLOAD_TYPES.siteConfig. */
export const SiteConfig = closed({
  applianceId: Id('app'),
  siteId: Id('site'),
  siteName: ShortText,
  epoch: Type.Integer({ minimum: 1 }),
  generation: Count,
  dikFingerprint: Fingerprint,
  agentTier: Type.Union([Type.Literal(0), Type.Literal(1), Type.Literal(2)], {
    description: 'MONITOR_ONLY 0, SELF_HEAL 1, FULL_REMEDIATION 2',
  }),
  agentTiers: Type.Record(
    Type.String({ pattern: '^agt_[a-z2-7]{26}$' }),
    Type.Union([Type.Literal(0), Type.Literal(1), Type.Literal(2)]),
  ),
  checks: Type.Array(oneOf(CHECK_NAMES), { uniqueItems: true }),
  requiredServices: Type.Array(Type.String({ pattern: '^[A-Za-z0-9@._][A-Za-z0-9@._-]{0,63}$' }), {
    maxItems: 64,
    uniqueItems: true,
  }),
  checkIntervalMs: Type.Integer({ minimum: 1000, maximum: 86_400_000 }),
  heartbeatIntervalMs: Type.Integer({ minimum: 1000, maximum: 600_000 }),
  issuedAtMs: UnixMs,
  /** Those that are sealed to this box; missing: none. */
  secrets: Type.Optional(Type.Array(SealedSecret, { maxItems: SECRET_LIMITS.count })),
});
export type SiteConfig = Static<typeof SiteConfig>;

const WorkingKey = closed({ keyId: Fingerprint, publicKey: PublicKey });

export const RELAY_KEY_PURPOSES = ['config', 'order', 'time', 'witness', 'mirror'] as const;
export type RelayKeyPurpose = (typeof RELAY_KEY_PURPOSES)[number];

/** Signed by the relay's offline `root` key: current first, then next. Payload type PAYLOAD_TYPES.relayKeys. */
export const RelayKeys = closed({
  host: Type.String({ maxLength: 255 }),
  generation: Count,
  issuedAtMs: UnixMs,
  config: Type.Array(WorkingKey, { minItems: 1, maxItems: 2 }),
  order: Type.Array(WorkingKey, { minItems: 1, maxItems: 2 }),
  time: Type.Array(WorkingKey, { minItems: 1, maxItems: 2 }),
  witness: Type.Array(WorkingKey, { minItems: 1, maxItems: 2 }),
  mirror: Type.Array(WorkingKey, { minItems: 1, maxItems: 2 }),
});
export type RelayKeys = Static<typeof RelayKeys>;
