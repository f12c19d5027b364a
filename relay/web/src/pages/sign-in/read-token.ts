const TOKEN = /^(?:v1\.)?([A-Za-z0-9_-]{43})$/;

/** The token of a sign-in link's fragment, of a whole pasted link, or alone; null when it is none of these. */
export function readToken(text: string): string | null {
  const trimmed = text.trim();
  const fragment = trimmed.slice(trimmed.lastIndexOf('#') + 1);
  return TOKEN.exec(fragment)?.[1] ?? null;
}
