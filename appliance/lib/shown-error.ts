import { isNoRoom } from '@sitewarden/kit/errors';
import { applianceErrors } from '../errors.ts';
import { RelayFailure } from './relay-failure.ts';

/** What the page says of the last failure. */
export interface ShownError {
  readonly code: string;
  /** Ends with the next step. */
  readonly message: string;
}

/** Pure. `isExpected`: it has a code, so its stack says nothing more. */
export function shownError(error: unknown): ShownError & { readonly isExpected: boolean } {
  if (error instanceof RelayFailure || applianceErrors.is(error)) {
    return { code: error.code, message: error.message, isExpected: true };
  }
  const isFull = isNoRoom(error);
  const { code, message } = applianceErrors.make(isFull ? 'DISK_FULL' : 'INTERNAL');
  return { code, message, isExpected: isFull };
}
