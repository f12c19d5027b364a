import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';

/**
 * True for a Host header this box answers to: an IP address, localhost, a *.local name or a configured one. A page on the
 * internet can make its own name resolve to this box (DNS rebinding), but its requests carry that name.
 */
export function isOwnHost(header: string | undefined, hostNames: readonly string[]): boolean {
  const name = hostNameOf(header);
  if (name === undefined) return false;
  if (isIP(name) !== 0 || name === 'localhost') return true;
  return /^[a-z0-9-]+(\.[a-z0-9-]+)*\.local$/.test(name) || hostNames.some((own) => own.toLowerCase() === name);
}

function hostNameOf(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/.exec(header ?? '');
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '');
}

/** True when a browser says the request comes from this very page, or when no browser sent it. */
export function isOwnOrigin(headers: {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly 'sec-fetch-site'?: string | string[] | undefined;
}): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  return headers.origin === undefined || headers.origin === `http://${headers.host}`;
}

export interface FormTokens {
  make(): string;
  isValid(token: unknown): boolean;
}

const FORM_LIFE_MS = 3_600_000;

/** Proves that a form was served by this process within the hour. Monotonic time: the wall clock may be wrong at first boot. */
export function createFormTokens(monotonicMs: () => number): FormTokens {
  const key = randomBytes(32);
  const sign = (at: string): string => createHmac('sha256', key).update(at).digest('base64url');
  return {
    make() {
      const at = Math.floor(monotonicMs()).toString(36);
      return `${at}.${sign(at)}`;
    },
    isValid(token) {
      if (typeof token !== 'string' || token.length > 128) return false;
      const [at = '', signature = ''] = token.split('.');
      if (!isSame(signature, sign(at))) return false;
      const ageMs = monotonicMs() - Number.parseInt(at, 36);
      return ageMs >= -1 && ageMs < FORM_LIFE_MS;
    },
  };
}

/** Compares in a time that tells nothing about where two texts differ. */
export function isSame(given: string, wanted: string): boolean {
  const key = randomBytes(32);
  const digest = (text: string) => createHmac('sha256', key).update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
