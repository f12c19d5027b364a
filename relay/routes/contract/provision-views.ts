import { type Static, Type } from '@sinclair/typebox';
import {
  Count,
  closed,
  DoctorFinding,
  Id,
  Nullable,
  oneOf,
  PROVISION_STATES,
  ShortText,
  UnixMs,
} from '@sitewarden/agent-proto/http';
import { CODE_STATES, MAX_LABELS } from '../../lib/code-states.ts';

const Replaces = Type.Optional(
  Type.String({
    pattern: '^app_[a-z2-7]{26}$',
    description: 'the appliance of the site that the person agreed to take out of service',
  }),
);
export const CodeRequest = closed({
  siteId: Id('site'),
  preApproved: Type.Optional(
    Type.Boolean({ default: false, description: 'admin only; the box gets its config without a further approval' }),
  ),
  ttlMinutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 43_200, default: 10 })),
  replaces: Replaces,
});
export const CodeView = closed({
  id: Id('pc'),
  siteId: Id('site'),
  siteName: ShortText,
  state: oneOf(CODE_STATES),
  preApproved: Type.Boolean(),
  createdBy: ShortText,
  createdAtMs: UnixMs,
  expiresAtMs: UnixMs,
  revokedAtMs: Nullable(UnixMs),
  scannedAtMs: Nullable(UnixMs),
  serial: Nullable(ShortText),
  claimedAtMs: Nullable(UnixMs),
  approvedBy: Nullable(ShortText),
  approvedAtMs: Nullable(UnixMs),
  usedAtMs: Nullable(UnixMs),
  disputed: Type.Boolean({ description: 'a second key presented the same secret' }),
  typedLocked: Type.Boolean({ description: 'five wrong guesses: only the QR form still works' }),
  replaces: Nullable(Id('app')),
});
export const CodeList = closed({ codes: Type.Array(CodeView), asOfMs: UnixMs });
/** The only time the secret is seen: it is stored hashed. */
export const CodeCreated = closed({
  code: CodeView,
  url: Type.String(),
  typed: Type.String({ description: 'BCDF-GHJKL-MNPQR' }),
  qrSvg: Type.String(),
});

export const LABEL_PAPERS = ['a4', 'letter'] as const;
export const LabelsRequest = closed({
  labels: Type.Array(closed({ siteId: Id('site'), count: Type.Integer({ minimum: 1, maximum: MAX_LABELS }) }), {
    minItems: 1,
    maxItems: MAX_LABELS,
    description: `at most ${MAX_LABELS} labels in all`,
  }),
  ttlMinutes: Type.Integer({ minimum: 10, maximum: 43_200 }),
  preApproved: Type.Optional(
    Type.Boolean({ default: false, description: 'admin only, 10 minutes only, and only for sites without a box' }),
  ),
  paper: oneOf(LABEL_PAPERS),
});

export const ClaimSessionView = closed({
  session: Id('ps'),
  state: oneOf(PROVISION_STATES),
  serial: ShortText,
  model: ShortText,
  softwareVersion: ShortText,
  imageDigest: ShortText,
  dikFingerprint: ShortText,
  /** null until the box has revealed its nonce */
  number: Nullable(Type.String({ pattern: '^[0-9]{8}$' })),
  startedAtMs: UnixMs,
  expiresAtMs: UnixMs,
  siteId: Nullable(Id('site')),
  siteName: Nullable(ShortText),
  claimedBy: Nullable(ShortText),
  disputed: Type.Boolean(),
  applianceId: Nullable(Id('app')),
  /** the box of the site that the approval takes out of service; before the claim only when a siteId was asked for */
  replaces: Nullable(closed({ applianceId: Id('app'), serial: ShortText, lastCheckinAtMs: Nullable(UnixMs) })),
  /** of a box that was moved here: why nobody could approve it as ordered; other_facts: it is not the box as it left */
  waitsBecause: Nullable(oneOf(['site_has_box', 'other_facts'] as const)),
  /** What the box last said of its way to the relay; null in lists and when it never did. */
  doctor: Nullable(closed({ atMs: UnixMs, findings: Type.Array(DoctorFinding) })),
  /** progress after approval, in order */
  progress: closed({
    claimed: Type.Boolean(),
    approved: Type.Boolean(),
    acknowledged: Type.Boolean(),
    firstCheckin: Type.Boolean(),
    agents: Count,
  }),
});
export type ClaimSessionView = Static<typeof ClaimSessionView>;
export const ClaimSessionList = closed({ sessions: Type.Array(ClaimSessionView), asOfMs: UnixMs });
/** The secret part of the scanned URL; only who saw the box's screen has it. */
export const ClaimLookup = closed({
  secret: Type.String({ pattern: '^[A-Za-z0-9_-]{22}$' }),
  fingerprint: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
  siteId: Type.Optional(Id('site')),
});
export const ClaimRequest = closed({
  secret: Type.String({ pattern: '^[A-Za-z0-9_-]{22}$' }),
  fingerprint: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
  siteId: Id('site'),
  number: Type.String({ pattern: '^[0-9]{8}$', description: 'the number the technician read on the box' }),
  replaces: Replaces,
});
export const ApproveRequest = closed({ number: Type.String({ pattern: '^[0-9]{8}$' }), replaces: Replaces });
