import { isSecretName } from './names.ts';

/** What stands where a secret was. */
export const REDACTED = '[redacted]';

/** Provisioning codes are written in these letters: a locator of 4 and 10 more, often in groups. No word looks so. */
const CODE = '[BCDFGHJKLMNPQRSTVWXZ]';
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
  /\b((?:set-)?cookie: ?)[^\r\n"\\]+/gi,
  // The session of a claim link; what follows it is the public fingerprint of the box.
  /(\bclaim#v\d\.)[A-Za-z0-9_~-]+/g,
  // tok_..., sk-..., whsec_...: a short word and a long run of base64url that is not only lower case, as our ids are.
  /(\b[a-z]{2,8}[_-])(?=[a-z0-9_-]{0,100}[A-Z])[A-Za-z0-9_-]{32,}/g,
  new RegExp(`\\b${CODE}{4}(?:[- ]?${CODE}{5}){2}\\b`, 'gi'),
  new RegExp(`\\b${CODE}{4}[- ]${CODE}{4}[- ]${CODE}{4}[- ]${CODE}{2}\\b`, 'gi'),
];

/** The shortest text one of them matches: a code without hyphens. */
const MIN_PATTERN_LENGTH = 14;

/**
 * A name and what joins it to its value, then the value: as JSON (also escaped inside JSON), inspect and YAML write it,
 * as in a query, and as in a header.
 */
const NAMED_VALUES: readonly (readonly [RegExp, RegExp])[] = [
  [/(?<![A-Za-z0-9_-])([A-Za-z][A-Za-z0-9_-]{1,40})\\{0,7}["']?\s?[:=]\s?\\{0,7}["']/g, /[^"'\\]+/y],
  [/(?<![A-Za-z0-9_-])([A-Za-z][A-Za-z0-9_-]{1,40})(?:=|%3[Dd])/g, /[^\s&"'\\<>]+/y],
  [/(?<![A-Za-z0-9_-])([A-Za-z][A-Za-z0-9_-]{1,40}): ?/g, /[^\s,;&"'\\<>]{8,}/y],
];

/** Hides what looks like a secret or stands under a secret's name, wherever it came from. */
export function scrubText(text: string): string {
  let scrubbed = text;
  if (text.length >= MIN_PATTERN_LENGTH) {
    for (const pattern of PATTERNS) scrubbed = scrubbed.replace(pattern, hideButFirstGroup);
  }
  if (!/[:=]|%3[Dd]/.test(scrubbed)) return scrubbed;
  for (const [head, value] of NAMED_VALUES) scrubbed = hideNamed(scrubbed, head, value);
  return scrubbed;
}

function hideButFirstGroup(_match: string, kept: unknown): string {
  return typeof kept === 'string' ? kept + REDACTED : REDACTED;
}

/** A value is skipped only when it is hidden: what stands under a harmless name may hold other names. */
function hideNamed(text: string, head: RegExp, value: RegExp): string {
  let result = '';
  let from = 0;
  head.lastIndex = 0;
  for (let found = head.exec(text); found !== null; found = head.exec(text)) {
    if (!isHiddenName(found[1]!, found[0])) continue;
    value.lastIndex = head.lastIndex;
    if (value.exec(text) === null) continue;
    result += text.slice(from, head.lastIndex) + REDACTED;
    from = value.lastIndex;
    head.lastIndex = from;
  }
  return from === 0 ? text : result + text.slice(from);
}

/** `code=` in an address is a provisioning code or an OAuth code; elsewhere a code names an error. */
function isHiddenName(name: string, head: string): boolean {
  return isSecretName(name) || /^code(=|%3D)$/i.test(head);
}
