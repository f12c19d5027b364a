import { type Static, Type } from '@sinclair/typebox';
import { Count, closed, EnvelopeText, FactsObject, Nonce, Nullable, oneOf, UnixMs } from './common.ts';
import { LANES, LossSum } from './outbox.ts';

const LaneDepth = closed({ depth: Count, oldestAgeMs: Count });

export const TIME_QUALITIES = ['synced', 'relay', 'unsynced'] as const;

/** POST /api/appliances/checkin. */
export const CheckinRequest = closed({
  counter: Count,
  bootId: Type.String({ pattern: '^[0-9a-f-]{32,36}$' }),
  previousToken: Nullable(Nonce),
  /** Ask for the relay's time signed over this nonce. */
  timeNonce: Nullable(Nonce),
  versions: closed({
    appliance: Type.String({ maxLength: 64 }),
    node: Type.String({ maxLength: 64 }),
    os: Type.String({ maxLength: 128 }),
  }),
  configGeneration: Count,
  /** Of the newest order this box ever took; a relay that was set back goes on after it. */
  orderSeq: Type.Optional(Count),
  telemetry: FactsObject,
  lanes: closed(
    Object.fromEntries(LANES.map((lane) => [lane, LaneDepth])) as Record<(typeof LANES)[number], typeof LaneDepth>,
  ),
  /** Left out by a box that has lost nothing. */
  losses: Type.Optional(Type.Array(LossSum, { maxItems: 32 })),
  agents: closed({ total: Count, connected: Count, failing: Count }),
  devices: Count,
  incidentsOpen: Count,
  evidence: closed({ epoch: Type.Integer({ minimum: 1 }), size: Count, cosignedSize: Count }),
  disk: closed({ totalBytes: Count, freeBytes: Count }),
  clock: closed({ nowMs: UnixMs, quality: oneOf(TIME_QUALITIES) }),
});
export type CheckinRequest = Static<typeof CheckinRequest>;

export const CheckinResponse = closed({
  token: Nonce,
  state: oneOf(
    ['active', 'quarantined'] as const,
    'quarantined: two boxes use this identity; no orders until staff decide',
  ),
  timeMs: UnixMs,
  /** DSSE by the `time` key over SignedTime, when the request carried a timeNonce. */
  signedTime: Nullable(EnvelopeText),
  configGeneration: Count,
  pendingOrders: Count,
  /** Of the list of the relay's working keys. Higher than the known one: GET /api/relay/keys. */
  relayKeysGeneration: Type.Optional(Count),
  drainRowsPerS: Type.Integer({ minimum: 1 }),
  nextCheckinMs: Type.Integer({ minimum: 1000, maximum: 3_600_000 }),
  /** A release waits for this box: it fetches it from BOX_PATHS.release. */
  isReleasing: Type.Optional(Type.Literal(true)),
});
export type CheckinResponse = Static<typeof CheckinResponse>;

export const SignedTime = closed({ timeMs: UnixMs, nonce: Nonce });
export type SignedTime = Static<typeof SignedTime>;
