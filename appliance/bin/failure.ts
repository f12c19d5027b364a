import { CodedError } from '@sitewarden/kit/errors';

/** Ends a command with one sentence instead of a stack: what happened and what to do. Exit code 1. */
export function reported<A extends unknown[]>(action: (...args: A) => Promise<void>): (...args: A) => Promise<void> {
  return async (...args) => {
    try {
      await action(...args);
    } catch (error) {
      const text =
        error instanceof CodedError ? `${error.message} [${error.code}]` : String((error as Error).stack ?? error);
      console.error(text);
      process.exitCode = 1;
    }
  };
}
