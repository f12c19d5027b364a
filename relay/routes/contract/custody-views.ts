import { Type } from '@sinclair/typebox';
import {
  Count,
  CustodyBundle,
  CustodyReceipt,
  closed,
  Id,
  Nullable,
  oneOf,
  ShortText,
  UnixMs,
} from '@sitewarden/agent-proto/http';
import { NAME_PATTERN } from '../../lib/names.ts';

const ApplianceId = Type.String({ pattern: '^app_[a-z2-7]{26}$', description: 'the box the person looked at' });
const Reason = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: NAME_PATTERN,
  description: 'why, as it stands on the receipt',
});

export const ReleaseWish = closed({ applianceId: ApplianceId, reason: Reason });
export const TransferWish = closed({
  applianceId: ApplianceId,
  reason: Reason,
  toSiteId: Type.String({ pattern: '^site_[a-z2-7]{26}$', description: 'a site of yours that has no box' }),
});
export const ArrivingBox = closed({
  dikFingerprint: Type.String({
    pattern: '^[A-Za-z0-9_-]{43}$',
    description: 'of `arriving`: the box that is on its way',
  }),
});
export const ReleaseId = closed({ releaseId: Id('rel') });

/** ordered: waits for the box, and can be taken back. delivered: the box has it and closes its log. */
export const ReleaseView = closed({
  id: Id('rel'),
  applianceId: Id('app'),
  state: oneOf(['ordered', 'delivered', 'closed', 'withdrawn', 'overtaken'] as const),
  reason: ShortText,
  by: ShortText,
  orderedAtMs: UnixMs,
  deliveredAtMs: Nullable(UnixMs),
  /** where the box moves; null: it belongs to nobody afterwards */
  to: Nullable(closed({ siteId: Id('site'), siteName: ShortText })),
});
export const CustodyView = closed({
  release: Nullable(ReleaseView),
  /** boxes that left another site for this one and have not asked for their claim yet */
  arriving: Type.Array(
    closed({
      serial: ShortText,
      dikFingerprint: ShortText,
      fromSiteName: Nullable(ShortText),
      by: ShortText,
      sinceMs: UnixMs,
    }),
  ),
  receipts: Type.Array(CustodyReceipt),
  asOfMs: UnixMs,
});
export const ReceiptView = closed({ receipt: CustodyReceipt, bundle: CustodyBundle });

/** A box nobody claimed yet that says the serial number of the box of a site. Its number is read off the box. */
export const RearmView = closed({
  session: Id('ps'),
  serial: ShortText,
  model: ShortText,
  softwareVersion: ShortText,
  imageDigest: ShortText,
  dikFingerprint: ShortText,
  siteId: Id('site'),
  siteName: ShortText,
  applianceId: Id('app'),
  startedAtMs: UnixMs,
  expiresAtMs: UnixMs,
  triesLeft: Type.Integer({ minimum: 0 }),
});
/** Those that asked first; `more` ask besides. */
export const RearmList = closed({
  rearms: Type.Array(RearmView),
  more: Type.Integer({ minimum: 0 }),
  asOfMs: UnixMs,
});
const ShownNumber = Type.String({ pattern: '^[0-9]{8}$', description: 'the number somebody read on the box' });
export const RearmQuery = closed({ siteId: Type.Optional(Id('site')) });
/** In a body: what is in an address is in the log of every proxy on the way. */
export const RearmSearch = closed({ siteId: Type.Optional(Id('site')), number: ShownNumber });
/** Serial numbers are made up or shared, so the place is named too: of the boxes the person looked at, this one. */
export const RearmRequest = closed({ applianceId: ApplianceId, number: ShownNumber });
export const RearmAnswer = closed({ siteId: Id('site'), applianceId: Id('app') });

/** A machine that uses the identity of a box in quarantine. `address` empty: not known. */
export const MachineView = closed({
  bootId: ShortText,
  address: ShortText,
  hostname: ShortText,
  /** it says itself that its place in the chain was damaged on disk or is gone */
  hasLostChain: Type.Boolean(),
  firstSeenMs: UnixMs,
  lastSeenMs: UnixMs,
});
export const QuarantineView = closed({
  applianceId: Nullable(Id('app')),
  isQuarantined: Type.Boolean(),
  sinceMs: Nullable(UnixMs),
  machines: Type.Array(MachineView),
  /** what tells them apart; one value a machine, in their order */
  differences: Type.Array(closed({ name: ShortText, values: Type.Array(ShortText) })),
  asOfMs: UnixMs,
});

/** For how long of a span a box was heard, of how much there was to be heard in; ofMs 0: nothing is known. */
const SeenSpan = closed({ fromMs: UnixMs, seenMs: Count, ofMs: Count });
export const AvailabilityView = closed({
  hours: Type.Array(SeenSpan),
  days: Type.Array(SeenSpan),
  throughMs: Nullable(UnixMs),
  asOfMs: UnixMs,
});
