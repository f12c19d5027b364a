import { defineErrors } from '@sitewarden/kit/errors';

/** Every code this program raises, prints or sends in a receipt. */
export const agentErrors = defineErrors({
  CONFIG_INVALID: {
    status: 400,
    message: 'Correct the configuration; `sitewarden-agent config check` shows all of it.',
  },
  CONFIG_UNREADABLE: {
    status: 400,
    message: 'The configuration was not read. Name a file this account may read with --config.',
  },
  APPLIANCE_ADDRESS_MISSING: {
    status: 400,
    message: 'The address of the appliance is not known. Give --appliance HOST:PORT or set applianceAddress.',
  },
  NOT_ENROLLED: {
    status: 401,
    message: 'This agent has no identity. Run `sitewarden-agent enroll --token-file FILE` with a token of the site.',
  },
  ALREADY_ENROLLED: {
    status: 409,
    message: 'This agent has an identity already. Add --replace to give it a new one.',
  },
  AGENT_REMOVED: {
    status: 403,
    message: 'This agent was removed from its site. Enroll it again with a new token, or uninstall it.',
  },
  TOKEN_FILE_UNREADABLE: {
    status: 400,
    message: 'The token was not read. Name a file this account may read with --token-file.',
  },
  TOKEN_FILE_INVALID: {
    status: 400,
    message: 'A token file is JSON with token, applianceAddress and caFingerprint. Ask the site for a new one.',
  },
  ENROLL_PIN_MISSING: {
    status: 400,
    message:
      'Without the fingerprint of the site CA nobody can tell the appliance from an impostor. Use a token file that has caFingerprint, or set siteCaFingerprint.',
  },
  ENROLL_PIN_MISMATCH: {
    status: 403,
    message:
      'The machine that answered is not the appliance of this site, and nothing was sent to it. Check the address, the network and the token file.',
  },
  ENROLL_REFUSED: {
    status: 403,
    message: 'The appliance did not accept the token. Ask the site for a new one; a token works once.',
  },
  ENROLL_ANSWER_INVALID: {
    status: 502,
    message:
      'The answer of the appliance does not fit the request, and was not used. Update the appliance and ask for a new token.',
  },
  APPLIANCE_UNREACHABLE: {
    status: 503,
    message: 'The appliance did not answer. Check its address, its power and the network, then try again.',
  },
  IDENTITY_DAMAGED: {
    status: 500,
    message: 'The stored identity cannot be used. Enroll again with a new token and --replace.',
  },
  CERTIFICATE_REFUSED: {
    status: 401,
    message:
      'The appliance does not accept the certificate of this agent. Nothing is lost, reports are kept; check the clock of this machine, and enroll again with a new token if this stays.',
  },
  RENEWAL_REFUSED: {
    status: 403,
    message:
      'The certificate was not renewed. The agent tries again; look at the appliance when it says this for a day.',
  },
  DATA_DIR_UNUSABLE: {
    status: 500,
    message: 'The data folder cannot be used. Check dataDir, its owner and the free space, then start again.',
  },
  INSTALL_NOT_ALLOWED: {
    status: 403,
    message: 'Only root may install a service. Run the command with sudo.',
  },
  INSTALL_UNSUPPORTED: {
    status: 400,
    message:
      'The service cannot be set up on this system. Start `sitewarden-agent run` by what this system starts its services with.',
  },
  INSTALL_STEP_FAILED: {
    status: 500,
    message:
      'The installation is not complete. Correct what the step says, then run the command again; what was done before does no harm.',
  },
  STOP_TIMED_OUT: {
    status: 504,
    message: 'The agent did not end in time. Look at its log, then end it through the service manager.',
  },
  TIER_TOO_LOW: {
    status: 403,
    message: 'The tier of this agent does not allow the action. Raise the tier of the agent at the site.',
  },
  SERVICE_NOT_REQUIRED: {
    status: 403,
    message: 'Only services required on this workstation may be started. Add it to the required services of the site.',
  },
  ORDER_EXPIRED: { status: 410, message: 'The order came too late. Give it again.' },
  ACTION_UNKNOWN: { status: 400, message: 'This agent does not know the action. Update the agent.' },
  ORDER_PARAMS_INVALID: { status: 400, message: 'The parameters do not fit the action. Correct the order.' },
  AGENT_BUSY: { status: 429, message: 'Too many orders wait on this agent. Give the order again in a minute.' },
  ACTION_NOT_POSSIBLE: {
    status: 409,
    message: 'This workstation cannot do the action as it is. Mend what stands in its way, or do it by hand.',
  },
  STATE_UNKNOWN: {
    status: 409,
    message:
      'The agent cannot see what the action would change, so it changed nothing. Run the check and follow its reason.',
  },
  RULED_ELSEWHERE: {
    status: 409,
    message: 'Another product or a policy rules this, so the agent left it alone. Change it there.',
  },
  OUTSIDE_WINDOW: {
    status: 409,
    message: 'It is not within the maintenance window of the order. Give the order again for the next window.',
  },
  WINDOW_ENDED: {
    status: 504,
    message: 'The maintenance window ended before all of it was done. Give the order again for the next window.',
  },
  TOOL_FAILED: {
    status: 502,
    message: 'A tool of this workstation did not do its part. Look at the workstation, then give the order again.',
  },
  ACTION_NOT_VERIFIED: {
    status: 502,
    message: 'The action ended and the check does not show its effect. Look at the workstation.',
  },
  UNDO_UNKNOWN: {
    status: 404,
    message: 'The agent keeps nothing by which to undo that order. Change it back by hand.',
  },
  SERVICE_NOT_RUNNING: {
    status: 502,
    message: 'The action ended and the service does not run. Look at the log of the service.',
  },
  UPDATE_NOT_POSSIBLE: {
    status: 409,
    message:
      'This agent cannot replace itself. Install a signed one-file agent of the box on this workstation by hand, once.',
  },
  UPDATE_NO_INSTALLER: {
    status: 404,
    message: 'The box has no installer for this workstation. Copy a folder of installers to it that has one.',
  },
  UPDATE_NOT_SIGNED: {
    status: 403,
    message:
      'The installers of the box are not signed by the publisher of this agent, so none was taken. Copy the own of its publisher to the box, and find out how others came there.',
  },
  UPDATE_VERSION_MISSING: {
    status: 404,
    message: 'The installers of the box are of another version. Name theirs, or copy the wanted ones to the box.',
  },
  UPDATE_SAME_VERSION: { status: 409, message: 'The agent has this version already. There is nothing to do.' },
  UPDATE_NOT_NEWER: {
    status: 409,
    message: 'The installers of the box are not newer than this agent. Name their version if that is meant.',
  },
  UPDATE_NO_ROOM: {
    status: 507,
    message:
      'There is too little free space for the new agent. Free some on this workstation, then give the order again.',
  },
  UPDATE_DOWNLOAD_FAILED: {
    status: 502,
    message: 'The new agent could not be fetched from the box. Look at the box, then give the order again.',
  },
  UPDATE_FILE_WRONG: {
    status: 502,
    message:
      'The file of the box is not the one that was signed, and was thrown away. Copy the folder of installers to the box again.',
  },
  UPDATE_CHECK_FAILED: {
    status: 502,
    message: 'The new agent does not work on this workstation, so the old one stays. Look at the log of the agent.',
  },
  UPDATE_ROLLED_BACK: {
    status: 502,
    message:
      'The new agent was put in place and did not connect to the box in time; the old one is back. Look at the log of the agent.',
  },
  UPDATE_STOPPED: {
    status: 500,
    message: 'The agent was stopped in the middle of its update, and the old one runs on. Give the order again.',
  },
  ACTION_FAILED: { status: 500, message: 'The action ended with a fault. Look at the log of the agent.' },
  INDETERMINATE: {
    status: 500,
    message:
      'The agent stopped in the middle of the action, so its effect is not known. Look at the workstation, then give the order again.',
  },
} as const);

export type AgentErrorCode = (typeof agentErrors.codes)[number];
