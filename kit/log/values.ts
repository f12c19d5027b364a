/** What stands where a secret was. */
export const REDACTED = '[redacted]';

/** Provisioning codes are written in these letters: a locator of 4 and 10 more, often in groups. */
const CODE = '[BCDFGHJKLMNPQRSTVWXZ]';

/**
 * Patterns of secrets that can stand inside any text, also inside a line of JSON (hence `\\n`). The first group, when
 * there is one, is kept: it says what was hidden. All run in linear time.
 */
const PATTERNS: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]{1,40}-----(?:(?!-----END)[^"])*(?:-----END [A-Z0-9 ]{1,40}-----)?/g,
  /\b((?:Bearer|Basic|Digest|Token|DPoP) +)[A-Za-z0-9._~+/=-]{8,}/gi,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g,
  /(\bclaim#v\d\.)[A-Za-z0-9._~-]+/g,
  /(\b(?:access_token|refresh_token|id_token|token|secret|client_secret|password|passwd|passphrase|nonce|csr|api[_-]?key|private[_-]?key|code)(?:=|%3D))[^\s&"'\\<>]+/gi,
  /(\b[a-z]{2,8}[_.])(?=[A-Za-z0-9_-]*[A-Z0-9])[A-Za-z0-9_-]{32,}/g,
  new RegExp(`\\b${CODE}{4}(?:[- ]?${CODE}{5}){2}\\b`, 'g'),
  new RegExp(`\\b${CODE}{4}[- ]${CODE}{4}[- ]${CODE}{4}[- ]${CODE}{2}\\b`, 'g'),
];

/** Hides what looks like a secret, wherever it came from. */
export function scrubText(text: string): string {
  let scrubbed = text;
  for (const pattern of PATTERNS) {
    scrubbed = scrubbed.replace(pattern, (_match, kept: unknown) =>
      typeof kept === 'string' ? kept + REDACTED : REDACTED,
    );
  }
  return scrubbed;
}
