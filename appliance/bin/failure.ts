import { CodedError } from '@sitewarden/kit/errors';

/** Ends a command with one sentence instead of a stack: what happened and what to do. Exit code 1. */
export function reported<A extends unknown[]>(action: (...args: A) => Promise<void>): (...args: A) => Promise<void> {
  return async (...args) => {
    try {
      await action(...args);
    } catch (error) {
      console.error(inWords(error));
      process.exitCode = 1;
    }
  };
}

/** A stack is for faults of this program only. */
function inWords(error: unknown): string {
  if (error instanceof CodedError && error.code !== 'INTERNAL') return `${error.message} [${error.code}]`;
  const { message, stack, syscall } = error as NodeJS.ErrnoException;
  if (syscall !== undefined) return `${message}. Check the path, its rights and the free space, then try again.`;
  return String(stack ?? error);
}
