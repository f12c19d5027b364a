/** SQLite binds 32,766 values a statement and PostgreSQL 65,535; the widest row here has 16. */
const MAX_ROWS = 250;

/** Hands over at most as many rows at once as one statement takes. */
export async function inChunks<T>(rows: readonly T[], write: (chunk: T[]) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < rows.length; from += MAX_ROWS) await write(rows.slice(from, from + MAX_ROWS));
}

/** One statement may not write a row twice: of rows with the same key the last one counts. */
export function lastOfEach<T>(rows: readonly T[], keyOf: (row: T) => string): T[] {
  return [...new Map(rows.map((row) => [keyOf(row), row])).values()];
}

/** PostgreSQL holds no NUL in a text. The JSON beside such a column keeps it, escaped. */
export const plainText = (text: string): string => (text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text);
