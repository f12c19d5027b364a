import { forget, recall, remember } from './storage.ts';

const KEY = 'sitewarden.claim';
const FRAGMENT = /^v1\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;

/** What a box's QR code says after the `#`: `v1.<secret>.<fingerprint>`. */
export interface ScannedClaim {
  secret: string;
  fingerprint: string;
}

/** null when the code is not whole. */
export function readClaim(fragment: string): ScannedClaim | null {
  const [, secret, fingerprint] = FRAGMENT.exec(fragment) ?? [];
  return secret && fingerprint ? { secret, fingerprint } : null;
}

/** Kept for this tab only: it outlives the sign-in and ends with the tab. */
export const keepScanned = (fragment: string) => remember(KEY, fragment.slice(0, 100));
export const keptScan = (): string | null => recall(KEY);
export const dropScan = () => forget(KEY);
