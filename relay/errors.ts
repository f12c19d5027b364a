import { BOX_ERRORS } from '@sitewarden/agent-proto/http';
import { defineErrors } from '@sitewarden/kit/errors';

/** What staff, operators of the relay and browsers are told. */
const STAFF_ERRORS = {
  QUERY_INVALID: {
    status: 400,
    message: 'The address holds a parameter that does not fit. Correct the named field and ask again.',
  },
  MEDIA_TYPE_UNSUPPORTED: {
    status: 415,
    message: 'This route does not take that content type. Send the one its description names.',
  },
  REQUEST_MALFORMED: {
    status: 400,
    message:
      'These bytes are no HTTP request. Correct the request line and the headers, or check the proxy on the way.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    message: 'This address does not take that method. Use one the header allow names.',
  },
  REQUEST_TOO_LARGE: {
    status: 413,
    message: 'The body is larger than 64 KiB. Shorten what it says and send it again.',
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    message: 'The headers of the request are larger than 16 KiB. Send fewer or shorter ones; clear old cookies.',
  },
  REQUEST_TOO_SLOW: { status: 408, message: 'The request did not arrive within a minute. Send it again.' },
  UPGRADE_REQUIRED: {
    status: 426,
    message: 'This address speaks MQTT over WebSocket only. Ask for an upgrade to websocket with the subprotocol mqtt.',
  },
  UNAUTHENTICATED: { status: 401, message: 'You are not signed in. Sign in with your password or a one-time link.' },
  SIGN_IN_LINK_INVALID: {
    status: 401,
    message: 'This sign-in link is unknown, was used, or is older than 15 minutes. Ask an admin for a new one.',
  },
  SIGN_IN_FAILED: {
    status: 401,
    message: 'E-mail and password do not fit together. Try again, or ask whoever runs the relay for a one-time link.',
  },
  SIGN_IN_LOCKED: {
    status: 429,
    message: 'Wait that long and try again; a one-time link from whoever runs the relay signs you in at once.',
  },
  PASSWORD_WRONG: {
    status: 422,
    message: 'This is not your present password. Try again, or sign in with a one-time link and set a new one.',
  },
  PASSWORD_UNFIT: {
    status: 422,
    message:
      'This password does not fit. Choose 12 to 128 characters that are neither your e-mail address nor your name.',
  },
  EMAIL_NEEDED: { status: 422, message: 'You have no e-mail address yet. Name the one you want to sign in with.' },
  EMAIL_TAKEN: {
    status: 409,
    message: 'This e-mail address already belongs to somebody on this relay. Use another one.',
  },
  INVITE_INVALID: {
    status: 401,
    message: 'This invite is unknown, was used or taken back, or is older than 7 days. Ask an admin for a new one.',
  },
  LAST_ADMIN: {
    status: 409,
    message: 'This is the last admin who can sign in. Make somebody else an admin first.',
  },
  SITE_NOT_GIVEN: {
    status: 403,
    message: 'This site was not given to you. Ask an admin of your company to give it to you.',
  },
  CSRF_REFUSED: {
    status: 403,
    message: 'The request did not come from this site. Reload the page and try again there.',
  },
  FORBIDDEN: { status: 403, message: 'Your role does not allow this. Ask an admin of your company.' },
  METRICS_FORBIDDEN: {
    status: 403,
    message: 'Metrics are answered only to this host or with the metrics token. Set metricsTokenFile to use one.',
  },
  CONFLICT: { status: 409, message: 'Something changed meanwhile. Load it again and repeat the change.' },
  NAME_TAKEN: { status: 409, message: 'This name is already in use. Choose another one.' },
  NUMBER_MISMATCH: {
    status: 422,
    message: 'The number is not the one this box shows. Compare again; if it stays different, do not claim this box.',
  },
  NUMBER_NOT_READY: {
    status: 409,
    message: 'The box has not shown its number yet. Wait until it appears on the box, then try again.',
  },
  CLAIM_NOT_WAITING: {
    status: 409,
    message: 'This claim is not waiting for that any more. Load it again to see how it stands.',
  },
  CLAIM_DISPUTED: {
    status: 409,
    message: 'A second box presented the same code, so this claim cannot be approved. Reject it and make a new code.',
  },
  BOX_CLAIMED_ELSEWHERE: {
    status: 409,
    message: 'The key of this box is still in use at another company. Reset the box, so that it makes new keys.',
  },
  CODE_NEEDS_ADMIN: {
    status: 403,
    message: 'Only an admin may make a code that needs no approval. Make an ordinary code, or ask an admin.',
  },
  CODE_TTL_TOO_LONG: {
    status: 422,
    message: 'A code that needs no approval lives 10 minutes at most. Shorten it, or leave the approval on.',
  },
  LABELS_TOO_MANY: {
    status: 422,
    message: 'A sheet holds 100 labels at most. Lower the counts, or print it in several sheets.',
  },
  LABELS_SITE_HAS_BOX: {
    status: 409,
    message:
      'A printed label that needs no approval could put the box of a site out of service. Leave the approval on, or make a single code for that site.',
  },
  REPLACEMENT_NOT_CONFIRMED: {
    status: 409,
    message: 'Nobody has agreed to that yet. Load it again, look at the box it replaces, and confirm that one.',
  },
  APPLIANCE_LEFT: {
    status: 409,
    message: 'This box is not at this site any more. Load the site again to see which one is.',
  },
  RELEASE_QUARANTINED: {
    status: 409,
    message: 'Two boxes use this identity. Decide the quarantine first, or remove the box without its word.',
  },
  RELEASE_WAITS: {
    status: 409,
    message: 'A release already waits for this box. Take it back first, then choose where the box goes.',
  },
  TRANSFER_SITE_TAKEN: {
    status: 409,
    message:
      'That site has a box, or another one is on its way there. Choose a site without one, or release its box first.',
  },
  RELEASE_UNDER_WAY: {
    status: 409,
    message: 'The box has the release and closes its log; it cannot be taken back. Claim it again when it is free.',
  },
  RELEASE_OVER: { status: 409, message: 'This release is over. Load the site again to see how it stands.' },
  SECRET_NO_BOX: {
    status: 409,
    message:
      'No box is there to seal a secret to. Claim one for the site, or decide its quarantine, then enter the secret again.',
  },
  SECRETS_FULL: {
    status: 409,
    message: 'The secrets of this site take up all the room they have. Remove one that is not needed any more.',
  },
  SITE_CONFIG_FULL: {
    status: 409,
    message:
      'The settings of this site take up all the room one signed configuration has. Set the tier of the site to what most of its agents need and single ones only where they differ, or remove secrets and required services that are not needed any more.',
  },
  GROUPS_FULL: {
    status: 409,
    message: 'This site has as many groups of agents as it can have. Remove one that is not needed any more.',
  },
  SECRET_KEY_UNFIT: {
    status: 409,
    message: 'The box of this site has no key that a secret can be sealed to. Reset the box and claim it again.',
  },
  RECEIPT_UNREADABLE: {
    status: 500,
    message: 'The file cannot be read as a receipt. Save it again from the page of the receipt, as JSON.',
  },
  RELAY_KEYS_UNREADABLE: {
    status: 500,
    message: 'The file cannot be read as a list of keys. Save what the relay answers at /api/relay/keys, as JSON.',
  },
  REARM_AMBIGUOUS: {
    status: 409,
    message: 'Two boxes that ask show this number. Start the box again and approve with the number it shows then.',
  },
  REARM_LOCKED: {
    status: 429,
    message: 'Five wrong numbers were typed for this box. Restart it, so that it shows a new number, and try again.',
  },
  APPLIANCE_NOT_QUARANTINED: {
    status: 409,
    message: 'This box is not in quarantine at this site. Load the site again to see how it stands.',
  },
  APPLIANCE_NONE: { status: 409, message: 'This site has no active appliance. Claim a box for it first.' },
  ORDER_TIER_TOO_LOW: {
    status: 409,
    message: 'Nothing was ordered. Ask an admin to raise the tier of the workstation, of its group or of the site.',
  },
  ORDER_TIER_NOT_YET: {
    status: 409,
    message: 'Nothing was ordered. Wait until the page of the workstation shows the new tier, then order it again.',
  },
  ORDER_WINDOW_UNFIT: {
    status: 422,
    message:
      'Nothing was ordered. Name a maintenance window of at most 24 hours that ends later than now and within the next 7 days.',
  },
  UNDO_ORDER_UNKNOWN: {
    status: 404,
    message: 'This site has no such order. Load the orders again and name one of them.',
  },
  UNDO_OTHER_AGENT: {
    status: 409,
    message: 'That order was for another workstation. Name the workstation it was for.',
  },
  UNDO_NOT_POSSIBLE: {
    status: 409,
    message: 'There is no way back for this action. Change it by hand where it has to be as it was.',
  },
  UNDO_NOT_DONE: {
    status: 409,
    message: 'Only an order that is done can be undone. Wait for its end; what failed is looked at on the workstation.',
  },
  UNDO_DRY_RUN: {
    status: 409,
    message: 'That order was a dry run: it changed nothing, so there is nothing to put back.',
  },
  UNDO_TWICE: {
    status: 409,
    message: 'That order was undone already, or is just being undone. Load the orders again to see how it stands.',
  },
  LISTEN_FAILED: {
    status: 500,
    message: 'Stop what uses this address, or name another one with listen.host and listen.port, then start again.',
  },
  STORE_UNREACHABLE: {
    status: 500,
    message: 'The database does not answer there, or lets nobody in. Start it or correct the connection string.',
  },
  DATA_DIR_UNUSABLE: {
    status: 500,
    message: 'The data folder cannot be used. Run init first, or name a folder this user may write to.',
  },
  STORE_LOST: {
    status: 500,
    message:
      'The keys of the relay are here but its database is gone. Restore it from the backup; to begin anew without sites, boxes and people, run sitewarden-relay init --new-database.',
  },
  STORE_EXISTS: {
    status: 409,
    message: 'There is a database here already. Move relay.db and what is named after it away, or name another folder.',
  },
  STORE_ROLE_UNSAFE: {
    status: 500,
    message:
      'The database role could see past row-level security. Connect as a member of sitewarden_app that is neither superuser nor owner.',
  },
  STORE_NOT_MIGRATED: {
    status: 500,
    message: 'The database is not at the version of this program. Run sitewarden-relay migrate of the right version.',
  },
  STORE_MIGRATION_FAILED: {
    status: 500,
    message: 'The migration was rolled back and the database is as before. Read the cause, then run it again.',
  },
  KEYS_STEP_WRONG: {
    status: 409,
    message: 'The keys are at another step. Run the step that comes next: next, then switch, then retire.',
  },
  ROOT_KEY_NEEDED: {
    status: 500,
    message: 'This step needs the private root key. Bring it from where it is kept and name it with --root-key.',
  },
  KEYS_MISSING: { status: 500, message: 'The relay has no keys here. Run sitewarden-relay init first.' },
  KEYS_EXIST: {
    status: 409,
    message: 'There are keys here already, and boxes trust them. Name another data folder to make new ones.',
  },
  KEYS_INVALID: {
    status: 500,
    message: 'The relay keys do not fit together or belong to another host. Restore them from the backup.',
  },
  CONFIG_INVALID: { status: 500, message: 'The configuration has faults. Correct the named lines and start again.' },
  PARTNER_UNKNOWN: { status: 404, message: 'There is no such partner. Name one with --partner.' },
} as const;

export const relayErrors = defineErrors({ ...BOX_ERRORS, ...STAFF_ERRORS });
export type RelayErrorCode = (typeof relayErrors.codes)[number];
