/** What stands where a secret was. */
export const REDACTED = '[redacted]';

/** Provisioning codes are written in these letters: a locator of 4 and 10 more, often in groups. No word looks so. */
const CODE = '[BCDFGHJKLMNPQRSTVWXZ]';
const SECRET_WORD =
  'access_token|refresh_token|id_token|token|secret|client_secret|passw(?:or)?d|passphrase|nonce|csr|api[_-]?key|private[_-]?key|code|authorization';

/**
 * Patterns of secrets that can stand inside any text. The first group, when there is one, is kept: it says what was
 * hidden. Whatever can begin again inside its own match is bounded, so that a peer's text cannot make them slow.
 */
const PATTERNS: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]{1,40}-----(?:(?!-----END)[^"])*(?:-----END [A-Z0-9 ]{1,40}-----)?/g,
  // DER in base64 or base64url without its PEM lines: certificates, requests, RSA and EC keys, then Ed25519 and X25519.
  /\bMI[GHIJ][A-Za-z0-9+/_-]{60,}={0,2}/g,
  /\bMC4CAQAwBQYDK2V[A-Za-z0-9+/_-]{40,}={0,2}/g,
  /\b((?:Bearer|Basic|Digest|DPoP) +)[A-Za-z0-9._~+/=-]{8,}/gi,
  /\beyJ[A-Za-z0-9_-]{8,400}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g,
  // The session of a claim link; what follows it is the public fingerprint of the box.
  /(\bclaim#v\d\.)[A-Za-z0-9_~-]+/g,
  new RegExp(`(\\b(?:${SECRET_WORD})(?:=|%3D))[^\\s&"'\\\\<>]+`, 'gi'),
  new RegExp(`((?:${SECRET_WORD})\\\\?["']?: ?\\\\?["'])[^"'\\\\]+`, 'gi'),
  // tok_..., sk-..., whsec_...: a short word and a long run of base64url that is not only lower case, as our ids are.
  /(\b[a-z]{2,8}[_-])(?=[a-z0-9_-]{0,100}[A-Z])[A-Za-z0-9_-]{32,}/g,
  new RegExp(`\\b${CODE}{4}(?:[- ]?${CODE}{5}){2}\\b`, 'gi'),
  new RegExp(`\\b${CODE}{4}[- ]${CODE}{4}[- ]${CODE}{4}[- ]${CODE}{2}\\b`, 'gi'),
];

/** Hides what looks like a secret, wherever it came from. */
export function scrubText(text: string): string {
  if (text.length < 8) return text;
  let scrubbed = text;
  for (const pattern of PATTERNS) {
    scrubbed = scrubbed.replace(pattern, (_match, kept: unknown) =>
      typeof kept === 'string' ? kept + REDACTED : REDACTED,
    );
  }
  return scrubbed;
}
