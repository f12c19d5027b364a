import { type Static, Type } from '@sinclair/typebox';
import { PreviousLog } from './claim.ts';
import {
  Count,
  closed,
  EnvelopeText,
  Fingerprint,
  Id,
  Nullable,
  oneOf,
  PublicKey,
  Sha256Hex,
  ShortText,
  UnixMs,
} from './common.ts';

const Epoch = Type.Integer({ minimum: 1 });

/** GET BOX_PATHS.release, signed by the relay's `config` key; payload type PAYLOAD_TYPES.release. */
export const ReleasePayload = closed({
  releaseId: Id('rel'),
  applianceId: Id('app'),
  epoch: Epoch,
  dikFingerprint: Fingerprint,
  siteId: Id('site'),
  siteName: ShortText,
  partnerName: ShortText,
  by: ShortText,
  reason: ShortText,
  orderedAtMs: UnixMs,
  /** Where the box moves: it is given that site's claim as soon as it asks for one. */
  to: Type.Optional(closed({ siteId: Id('site'), siteName: ShortText })),
});
export type ReleasePayload = Static<typeof ReleasePayload>;

export const ReleaseAnswer = closed({ release: EnvelopeText, relayKeys: EnvelopeText });
export type ReleaseAnswer = Static<typeof ReleaseAnswer>;

/** What a box says when its log is closed, signed by `dik`; payload type PAYLOAD_TYPES.released. */
export const ReleasedPayload = closed({
  releaseId: Id('rel'),
  applianceId: Id('app'),
  epoch: Epoch,
  size: Count,
  rootHash: Sha256Hex,
  closedAtMs: UnixMs,
});
export type ReleasedPayload = Static<typeof ReleasedPayload>;

/** POST BOX_PATHS.released. */
export const ReleasedRequest = closed({ released: EnvelopeText });
export type ReleasedRequest = Static<typeof ReleasedRequest>;
export const ReleasedAnswer = closed({ receipt: EnvelopeText });
export type ReleasedAnswer = Static<typeof ReleasedAnswer>;

/**
 * released: the box closed its log and left. removed: taken off without the box. rearmed: the same appliance goes on under
 * a new key. received: it came from another site or owner.
 */
export const CUSTODY_KINDS = ['released', 'removed', 'rearmed', 'received'] as const;
export type CustodyKind = (typeof CUSTODY_KINDS)[number];

/** Who gave a box up or took it over, when and why. Signed by the relay's `config` key; type PAYLOAD_TYPES.custody. */
export const CustodyReceipt = closed({
  receiptId: Id('rcp'),
  kind: oneOf(CUSTODY_KINDS),
  atMs: UnixMs,
  by: ShortText,
  reason: ShortText,
  partnerName: ShortText,
  siteId: Id('site'),
  siteName: ShortText,
  box: closed({
    applianceId: Id('app'),
    epoch: Epoch,
    serial: ShortText,
    model: ShortText,
    dik: PublicKey,
    evk: PublicKey,
  }),
  /** The log of that epoch as far as the relay cosigned it. `checkpoint`: the cosigned note, empty when there is none. */
  log: closed({
    origin: ShortText,
    size: Count,
    rootHash: Type.String({ pattern: '^([0-9a-f]{64})?$' }),
    checkpoint: Type.String({ maxLength: 8192 }),
  }),
  /** The box's own word that it closed its log; null when the box had none. */
  released: Nullable(EnvelopeText),
  /** rearmed: the epoch and key that go on. */
  next: Nullable(closed({ epoch: Epoch, dik: PublicKey, evk: PublicKey })),
  /** The other site of a transfer within one partner: of released where the box goes, of received where it came from. */
  counterpart: Nullable(closed({ partnerName: ShortText, siteName: ShortText })),
  /** received, of a transfer within one partner: where the closed log of the site before ends. */
  previous: Type.Optional(PreviousLog),
});
export type CustodyReceipt = Static<typeof CustodyReceipt>;

const TreeHash = Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$' });

/** How the keys of a receipt's last checkpoint follow from the root key and from the key of entry 0. */
export const CustodyProof = closed({
  /** Lists of the relay's working keys before the bundle's, of which one names the witness of the checkpoint. */
  relayKeysBefore: Type.Array(EnvelopeText, { maxItems: 8 }),
  /**
   * Entry 0 and each entry that handed the log over to another key, as far as the checkpoint covers them.
   * `inclusionProof` null: the relay cosigned the checkpoint before it had all entries.
   */
  entries: Type.Array(
    closed({ envelope: EnvelopeText, inclusionProof: Nullable(Type.Array(TreeHash, { maxItems: 64 })) }),
    { maxItems: 1024 },
  ),
});
export type CustodyProof = Static<typeof CustodyProof>;

/** A receipt with what a stranger needs to check it under the relay's root key. `proof`: receipts of before have none. */
export const CustodyBundle = closed({
  receipt: EnvelopeText,
  relayKeys: EnvelopeText,
  proof: Type.Optional(CustodyProof),
});
export type CustodyBundle = Static<typeof CustodyBundle>;
