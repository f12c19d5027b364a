import { relayErrors } from '../errors.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** JSON in strict UTF-8. Throws BODY_INVALID, also for text with NUL characters, which PostgreSQL cannot hold. */
export function parseJson(raw: Uint8Array): unknown {
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(raw);
    value = JSON.parse(text);
  } catch (cause) {
    throw relayErrors.make('BODY_INVALID', { detail: 'The body is not JSON in UTF-8', cause });
  }
  // A raw NUL is no JSON, so only the escape can bring one in; the walk is rare.
  if (text.includes('\\u0000') && hasNul(value)) {
    throw relayErrors.make('BODY_INVALID', { detail: 'A text holds a NUL character' });
  }
  return value;
}

export function hasNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0');
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, member]) => name.includes('\0') || hasNul(member));
}
