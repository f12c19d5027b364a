import { CodedError, type ErrorOptions } from '@sitewarden/kit/errors';

/** What can go wrong before or between the programs; theirs come with codes of their own. */
const START_ERRORS = {
  START_STATE_DAMAGED: 'Remove the file to let `npm start` make it anew, or the whole data folder to begin anew.',
  ALREADY_STARTED: 'Use the one that runs, stop it with Ctrl-C, or give another --data-dir.',
  PORT_TAKEN: 'Stop what uses it, or give another --data-dir.',
  CLAIM_REFUSED: 'Look at the page of the box for the reason; remove the data folder to begin anew.',
} as const;
export type StartErrorCode = keyof typeof START_ERRORS;

export const startError = (code: StartErrorCode, options: ErrorOptions): CodedError<StartErrorCode> =>
  new CodedError(code, { status: 500, message: START_ERRORS[code] }, options);
