import { defineErrors } from '@sitewarden/kit/errors';

/** gRPC status numbers. */
const GRPC = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** Everything this program can answer with. Each message ends with the next step. */
export const applianceErrors = defineErrors({
  CONFIG_UNREADABLE: { status: 400, message: 'The configuration file cannot be read. Check the path and the rights.' },
  CONFIG_INVALID: { status: 400, message: 'The configuration has issues. Correct each of the named keys.' },
  ADDRESS_INVALID: {
    status: 400,
    message: 'The address must be host:port, with a port from 1 to 65535. Correct it; no token was made.',
  },
  OUT_FILE_EXISTS: {
    status: 409,
    message: 'There is something at this path already, and it is not overwritten. Name a path that is free.',
  },
  OUT_FILE_UNWRITABLE: {
    status: 500,
    message: 'The file cannot be written. Check the path, its rights and the free space, then try again.',
  },
  LISTEN_FAILED: {
    status: 500,
    message: 'The appliance does not start without it. Stop the other program, or correct the named key.',
  },
  IDENTITY_DAMAGED: {
    status: 500,
    message:
      'A key file of this box is damaged. Restore the folder identity from a copy, or have the box claimed again.',
  },
  TPM_NEEDED: {
    status: 500,
    message:
      'The keys of this box need its TPM, and it does not answer. Check that the TPM is on in the firmware, that tpm2-tools is installed, and identity.tcti.',
  },
  KEYS_SEALED_ELSEWHERE: {
    status: 500,
    message:
      'The keys in this data folder are sealed to the TPM of another machine, or this TPM was cleared. Start it on its own machine, or run `sitewarden-appliance reset` and have the box claimed again.',
  },
  DISK_FAILED: {
    status: 503,
    message: 'Writing to disk failed. The database is being opened again; try again shortly.',
  },
  CLIENT_CERTIFICATE_NEEDED: {
    status: 401,
    message: 'This call needs a client certificate of this site. Enrol the agent with a token first.',
  },
  CLIENT_CERTIFICATE_INVALID: {
    status: 401,
    message: 'The client certificate is not one of this site, or has expired. Enrol the agent again.',
  },
  AGENT_REMOVED: {
    status: 403,
    message: 'This agent was removed from its site. Stop it, or enrol it again with a new token.',
  },
  AGENT_UNKNOWN: { status: 404, message: 'No active agent with this id. Look at the list of agents.' },
  ENROLL_TOKEN_INVALID: {
    status: 401,
    message: 'The token is unknown, used or expired. Make a new one on the page of the box.',
  },
  CSR_INVALID: {
    status: 400,
    message:
      'The certificate request is not acceptable. Send a PKCS#10 in DER with a P-256 or Ed25519 key, signed by it.',
  },
  NONCE_INVALID: { status: 400, message: 'The nonce must have 16 to 64 random bytes. Send a fresh one.' },
  ENROLL_TOO_SLOW: {
    status: 408,
    grpc: GRPC.deadlineExceeded,
    message: 'The request did not arrive in time. Check the network, then try again.',
  },
  CALL_STUCK: {
    status: 503,
    grpc: GRPC.unavailable,
    message: 'No whole message came for too long, or no answer was read. Check the network, then connect again.',
  },
  HELLO_NEEDED: {
    status: 412,
    grpc: GRPC.failedPrecondition,
    message: 'A session begins with exactly one Hello. Send it first.',
  },
  MESSAGE_INVALID: { status: 400, message: 'A message does not fit AGENT/1. Correct the named field.' },
  MESSAGE_TOO_LARGE: {
    status: 413,
    // RESOURCE_EXHAUSTED would say that waiting helps.
    grpc: GRPC.invalidArgument,
    message: 'A message is larger than 1 MiB. Send fewer results at once.',
  },
  REPORT_GAP: {
    status: 412,
    grpc: GRPC.failedPrecondition,
    message: 'Reports are missing before this one. Send again from expectedSeq.',
  },
  RATE_LIMITED: {
    status: 429,
    grpc: GRPC.resourceExhausted,
    message: 'This agent sends more than it may. Wait as long as retry-delay-ms says.',
  },
  INTAKE_BUSY: {
    status: 503,
    grpc: GRPC.resourceExhausted,
    message: 'More waits to be stored than can be. Wait as long as retry-delay-ms says and send it again.',
  },
  DISK_FULL: {
    status: 507,
    grpc: GRPC.resourceExhausted,
    message: 'The disk of the box is full. Free space on it; agents keep their reports and try again.',
  },
  SESSION_REPLACED: {
    status: 409,
    grpc: GRPC.unavailable,
    message: 'The same agent opened another session. Run one agent with one identity.',
  },
  STOPPING: { status: 503, grpc: GRPC.unavailable, message: 'The appliance is stopping. Connect again shortly.' },
  INTERNAL: {
    status: 500,
    grpc: GRPC.internal,
    message: 'The appliance failed. Try again; the failure is in its log.',
  },

  NOT_OUR_QR: {
    status: 400,
    message: 'This is not a Sitewarden code. Scan the QR label of the work order, or type its 14 letters.',
  },
  WRONG_RELAY: {
    status: 400,
    message: 'This code belongs to another relay. Ask for a code of the relay this box is set up for.',
  },
  ALREADY_CLAIMED: {
    status: 409,
    message:
      'This box already belongs to a site. To claim it anew, stop it, run `sitewarden-appliance reset` on it, and start it again.',
  },
  KEYS_NOT_CLAIMED: {
    status: 409,
    message:
      'This box belongs to no site yet, so nobody knows its keys. `sitewarden-appliance reset` makes it new ones.',
  },
  SECRET_UNKNOWN: {
    status: 404,
    message: 'This site has no such secret. `sitewarden-appliance secrets list` names those it has.',
  },
  SECRET_UNREADABLE: {
    status: 409,
    message: 'The key of this box does not open this secret. Have an admin enter it again on the page of the site.',
  },
  KEYS_BUSY: {
    status: 503,
    message: 'The box is starting, stopping, or taking a new key into use. Try again shortly.',
  },
  EVIDENCE_HALTED: {
    status: 409,
    message: 'The evidence log stands still because entries are gone. Reset the box and claim it again.',
  },
  BOX_RUNS: { status: 409, message: 'The box is running. Stop its service first, then try again.' },
  RESET_NOT_CONFIRMED: { status: 409, message: 'Nothing was moved. Run it again with --yes to do it.' },
  CLAIM_BUSY: { status: 409, message: 'A claim is under way already. Wait for its end.' },
  CODE_INVALID: { status: 404, message: 'This code is unknown or has expired. Ask for a new one.' },
  CODE_USED: {
    status: 409,
    message: 'This code was used by another box. Ask for a new one and have staff check the claim.',
  },
  CODE_REVOKED: { status: 410, message: 'This code was revoked. Ask for a new one.' },
  CODE_LOCKED: {
    status: 429,
    message: 'Too many wrong tries for this typed code. Scan the QR form instead, or ask for a new code.',
  },
  CLAIM_REJECTED: { status: 403, message: 'Staff rejected this claim. Ask them why, then try again with a new code.' },
  GRANT_INVALID: {
    status: 502,
    message:
      'What the relay sent does not verify under the pinned root key. Check the relay and its key in the configuration.',
  },

  RELAY_UNREACHABLE: {
    status: 502,
    message: 'The relay did not answer. Check the network of the site; everything is kept meanwhile.',
  },
  RELAY_TIMEOUT: {
    status: 504,
    message: 'The relay did not answer in time. Check the network of the site; everything is kept meanwhile.',
  },
  RELAY_PROXY: {
    status: 502,
    message: 'The proxy does not lead to the relay. Run `sitewarden-appliance doctor`, and check relay.proxy.',
  },
  RELAY_TLS: {
    status: 502,
    message: 'The relay could not prove who it is. Check the clock of the box and that nothing intercepts TLS.',
  },
  RELAY_ANSWER_INVALID: {
    status: 502,
    message: 'The answer of the relay does not fit the contract. Check that the address is a Sitewarden relay.',
  },
  RELAY_REFUSED: { status: 502, message: 'The relay refused the request. See its code, and look at the site page.' },
  RELAY_KEYS_INVALID: {
    status: 502,
    message: 'The working keys of the relay are not signed by the pinned root key. Check relay.rootKey.',
  },
  CONFIG_REFUSED: {
    status: 502,
    message: 'The site configuration does not verify or is not for this box. The old one stays in force; tell the MSP.',
  },
  COSIGNATURE_INVALID: {
    status: 502,
    message: 'The cosignature of the relay does not verify. The checkpoint will be sent again.',
  },
  EVIDENCE_DIVERGED: {
    status: 409,
    message: 'The relay knows a longer or another log of this box. Staff must decide on the site page.',
  },
  INSTALLERS_NONE: {
    status: 404,
    message:
      'This box has no installers of the agent. Put the output of `npm run build:agent` into a folder of the box and name it as installers.dir.',
  },
  INSTALLERS_UNUSABLE: {
    status: 500,
    grpc: GRPC.failedPrecondition,
    message: 'The installers of this box are not whole or not signed, so none is handed out. Copy the folder again.',
  },
  INSTALLER_UNKNOWN: {
    status: 404,
    grpc: GRPC.notFound,
    message: 'This box has no such installer. Copy a folder of installers to it that has one for this system.',
  },
  TARGET_UNKNOWN: { status: 400, message: 'There is no such target. Name win-x64, linux-x64 or linux-arm64.' },
  LOCAL_PAGE_CLOSED: {
    status: 409,
    message:
      'The page of this box is open to the box alone, so no workstation can fetch from it. Set local.host to an address of the site network, then restart the box.',
  },
  LOCAL_LOOPBACK_NEEDED: {
    status: 403,
    message:
      'The page is not encrypted, so the token of the box must not cross the network. Use `sitewarden-appliance agents token` on the box, or open this page there or through an SSH tunnel.',
  },
  LOCAL_API_UNREACHABLE: {
    status: 503,
    message: 'The appliance does not answer on its local port. Start it, or name its configuration with --config.',
  },
  RULES_INVALID: { status: 400, message: 'The repair rules have faults. Correct each of the named places.' },
  LOCAL_HOST_REFUSED: {
    status: 421,
    message: 'The box does not answer to this name. Open it by its IP address, as localhost, or by its .local name.',
  },
  LOCAL_ORIGIN_REFUSED: {
    status: 403,
    message: 'This request comes from a page of another site. Open the page of the box itself and try again there.',
  },
  LOCAL_FORM_EXPIRED: { status: 403, message: 'This form is too old. Load the page of the box again and repeat it.' },
  LOCAL_TOKEN_NEEDED: {
    status: 401,
    message: 'This call needs the token in local-admin.token of the data folder. Send it as a bearer token.',
  },
  LOCAL_BODY_INVALID: { status: 400, message: 'The request does not fit this route. Correct the named field.' },
  LOCAL_BODY_TOO_LARGE: { status: 413, message: 'The request is larger than this route takes. Send less.' },
  LOCAL_RATE_LIMITED: { status: 429, message: 'Too many requests. Wait as long as Retry-After says.' },
  LOCAL_NOT_FOUND: { status: 404, message: 'There is nothing at this address. Begin at the page of the box.' },
});

export type ApplianceErrorCode = (typeof applianceErrors.codes)[number];
