import { CodedError, type ErrorEntry, type ErrorOptions } from './coded-error.ts';

export interface ErrorFactory<C extends string> {
  /** The table itself, for the test that compares it with the docs. */
  readonly table: Readonly<Record<C, ErrorEntry>>;
  readonly codes: readonly C[];
  make(code: C, options?: ErrorOptions): CodedError<C>;
  /** True for an error of this table, and of this code when one is given. */
  is<K extends C = C>(error: unknown, code?: K): error is CodedError<K>;
}

/** Throws TypeError on a code that is not UPPER_SNAKE, a status outside 400..599 or a message without a full stop. */
export function defineErrors<const T extends Readonly<Record<string, ErrorEntry>>>(
  table: T,
): ErrorFactory<Extract<keyof T, string>> {
  type C = Extract<keyof T, string>;
  for (const [code, entry] of Object.entries(table)) checkEntry(code, entry);
  const entries = table as Readonly<Record<C, ErrorEntry>>;
  return {
    table: entries,
    codes: Object.keys(table) as C[],
    make: (code, options) => new CodedError(code, entries[code], options),
    is: <K extends C>(error: unknown, code?: K): error is CodedError<K> =>
      error instanceof CodedError && (code === undefined ? Object.hasOwn(table, error.code) : error.code === code),
  };
}

function checkEntry(code: string, entry: ErrorEntry): void {
  if (!/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(code)) throw new TypeError(`error code ${code} is not UPPER_SNAKE`);
  if (entry.status < 400 || entry.status > 599) throw new TypeError(`error code ${code} has no error status`);
  if (!/[.!?]$/.test(entry.message)) throw new TypeError(`the message of ${code} does not end a sentence`);
}
