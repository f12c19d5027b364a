import { kitErrors } from '@sitewarden/kit/errors';

/** SQLITE_DAMAGED naming the file and what was found, for an error that says so in whichever words (see isDamage). */
export function damaged(file: string, cause: unknown): Error {
  return kitErrors.make('SQLITE_DAMAGED', { detail: `${file}: ${wordsOf(cause)}`, cause });
}

/** The innermost error is SQLite's own. */
function wordsOf(error: unknown): string {
  const { cause, message } = error as Error;
  if (cause instanceof Error) return wordsOf(cause);
  return message.replace(` ${kitErrors.table.SQLITE_DAMAGED.message}`, '');
}
