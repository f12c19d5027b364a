import { type Static, Type } from '@sinclair/typebox';
import { closed } from './common.ts';

/** Body of every answer that is not 2xx. `code` is stable; `message` says what happened and what to do next. */
export const ErrorBody = closed({
  code: Type.String(),
  message: Type.String(),
  field: Type.Optional(Type.String({ description: 'JSON pointer or name of what is at fault' })),
  data: Type.Optional(Type.Unknown({ description: 'figures a program needs, like expectedSeq or offsetMs' })),
});
export type ErrorBody = Static<typeof ErrorBody>;

/** Codes the relay answers a box with: HTTP status and sentence. The relay's table holds exactly these and the staff ones. */
export const BOX_ERRORS = {
  BODY_INVALID: { status: 400, message: 'The body does not fit its schema. Correct the named field and send again.' },
  BODY_TOO_LARGE: { status: 413, message: 'The body is larger than this route takes. Send fewer rows at once.' },
  SIGNATURE_MISSING: {
    status: 401,
    message: 'The request is not signed. Sign it with the device key as HTTP Message Signatures (RFC 9421).',
  },
  SIGNATURE_MALFORMED: {
    status: 401,
    message: 'The signature headers cannot be read. Send exactly one signature labelled sw.',
  },
  SIGNATURE_COMPONENTS: {
    status: 401,
    message: 'The signature leaves out a required component. Cover method, authority, path, query and content-digest.',
  },
  SIGNATURE_INVALID: {
    status: 401,
    message: 'The signature does not verify. Check the device key and that no proxy rewrites the request.',
  },
  DIGEST_MISMATCH: {
    status: 401,
    message:
      'The body does not match its Content-Digest. Something between box and relay changed it; try another network.',
  },
  CLOCK_SKEW: {
    status: 401,
    message: 'The request time is too far from the relay time. Take the signed time from this answer and try again.',
  },
  NONCE_REPLAYED: { status: 401, message: 'This exact request was seen before. Sign a new one.' },
  APPLIANCE_UNKNOWN: {
    status: 401,
    message: 'No appliance with this key. Run `sitewarden-appliance reset` on the box and claim it again.',
  },
  DIK_RETIRED: {
    status: 401,
    message:
      'This device key was replaced by a newer one. Take this copy or old state off the network, or run `sitewarden-appliance reset` on it and claim it again.',
  },
  KEY_TRANSITION_INVALID: {
    status: 422,
    message:
      'The transition is not signed by both the old and the new key. Sign the same four members with each of them.',
  },
  KEY_IN_USE: {
    status: 409,
    message: 'The new key is already known here, or was in use before. Make a fresh key and send its transition.',
  },
  APPLIANCE_REVOKED: {
    status: 403,
    message: 'This appliance was removed from its site. Ask the MSP; the box keeps serving the site meanwhile.',
  },
  APPLIANCE_RELEASED: {
    status: 403,
    message:
      'This box was released from its site. Run `sitewarden-appliance reset` on it, then it can be claimed again.',
  },
  APPLIANCE_REPLACED: {
    status: 403,
    message:
      'Another box took the place of this one. To use this one again, run `sitewarden-appliance reset` and claim it.',
  },
  APPLIANCE_REARMED: {
    status: 403,
    message:
      'This key was retired: the box of this site got a new one. If this is a copy, switch it off; if it is the box of the site, run `sitewarden-appliance reset` and ask staff to approve it.',
  },
  APPLIANCE_REMOVED: {
    status: 403,
    message:
      'Staff removed this box as lost or broken. Tell the MSP that it is here; to use it again, run `sitewarden-appliance reset` and claim it.',
  },
  RELEASE_NONE: {
    status: 404,
    message: 'No release waits for this box, or staff took it back. Go on serving the site.',
  },
  RELEASE_LOG_OPEN: {
    status: 409,
    message:
      'The log is not closed: send all entries and a cosigned checkpoint over them, the last one of kind released.',
  },
  APPLIANCE_QUARANTINED: {
    status: 403,
    message: 'Two boxes use this identity. Take the copy off the network; an admin releases the box on the site page.',
  },
  CHECKIN_FIRST: {
    status: 409,
    message:
      'The request does not carry the newest check-in token of this box. Check in, then ask again with the token of that answer.',
  },
  CODE_INVALID: { status: 404, message: 'This code is unknown or has expired. Ask for a new one.' },
  CODE_USED: {
    status: 409,
    message: 'This code was already used by another box. Ask for a new one and have staff check the claim.',
  },
  CODE_REVOKED: { status: 410, message: 'This code was revoked. Ask for a new one.' },
  CODE_LOCKED: {
    status: 429,
    message: 'Too many wrong tries for this typed code. Scan the QR form instead or ask for a new code.',
  },
  SESSION_UNKNOWN: {
    status: 404,
    message: 'This claim session is unknown or has expired. The box shows a new QR code by itself.',
  },
  COMMITMENT_MISMATCH: { status: 422, message: 'The revealed nonce does not fit the commitment. Start a new session.' },
  KEYS_MISMATCH: {
    status: 409,
    message: 'The signing key is not the device key of this session. Start a new session.',
  },
  CSR_INVALID: { status: 400, message: 'The site CA request is not a valid P-256 PKCS#10. Make the site CA anew.' },
  OUTBOX_GAP: { status: 409, message: 'Rows are missing before this batch. Send again from expectedSeq.' },
  OUTBOX_EPOCH: {
    status: 409,
    message: 'The batch belongs to another epoch of this appliance. Fetch the config and send the current epoch.',
  },
  OUTBOX_ROW_INVALID: {
    status: 422,
    message: 'A row does not fit the schema of its lane. The row is named; rows before it were not taken either.',
  },
  EVIDENCE_FORMAT: {
    status: 422,
    message: 'An entry is not a strict DSSE envelope over a canonical statement. The entry is named.',
  },
  EVIDENCE_SIGNATURE: { status: 422, message: 'An entry is not signed by the evidence key of this appliance.' },
  EVIDENCE_SCHEMA: { status: 422, message: 'An entry holds members the evidence schema does not name.' },
  EVIDENCE_SEQ: { status: 422, message: 'An entry says another sequence number than its place in the log.' },
  EVIDENCE_PREV: { status: 422, message: 'An entry does not follow the entry before it.' },
  EVIDENCE_FOREIGN: { status: 422, message: 'An entry belongs to the log of another appliance or epoch.' },
  EVIDENCE_TRANSITION: {
    status: 422,
    message: 'A change of the evidence key is not signed by both keys, or names a key that was in force before.',
  },
  EVIDENCE_CONFLICT: {
    status: 409,
    message: 'Another entry with this sequence number is already stored. Two logs exist; staff were alarmed.',
  },
  CHECKPOINT_FORMAT: {
    status: 400,
    message: 'The checkpoint request cannot be read. Send it as C2SP tlog-witness says.',
  },
  CHECKPOINT_SIGNATURE: { status: 403, message: 'The checkpoint is not signed by the evidence key of this appliance.' },
  CHECKPOINT_ORIGIN: { status: 404, message: 'The checkpoint belongs to a log this relay does not witness.' },
  CHECKPOINT_CONFLICT: {
    status: 409,
    message: 'The old size is not the last cosigned size. Send a proof from the size in data.size.',
  },
  CHECKPOINT_PROOF: {
    status: 422,
    message: 'The consistency proof does not hold. The log was rewritten or the proof is wrong.',
  },
  RECEIPT_INVALID: {
    status: 422,
    message: 'A receipt is not signed by the device key or names an order this appliance does not have.',
  },
  RATE_LIMITED: { status: 429, message: 'Too many requests. Wait as long as Retry-After says.' },
  OVERLOADED: { status: 503, message: 'The relay is busy. Wait as long as Retry-After says; nothing is lost.' },
  NOT_FOUND: { status: 404, message: 'There is nothing at this address.' },
  INTERNAL: { status: 500, message: 'The relay failed. Try again; the failure is logged with the request id.' },
} as const satisfies Record<string, { status: number; message: string }>;

export type BoxErrorCode = keyof typeof BOX_ERRORS;
