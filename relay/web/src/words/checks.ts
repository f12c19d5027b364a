import type { Check } from '../api/types.ts';
import type { Sign } from './tone.ts';

export const CHECK_TITLES: Record<Check['check'], string> = {
  bitlocker: 'Disk encryption',
  defender: 'Anti-malware',
  firewall: 'Firewall',
  patches: 'Security updates',
  screenlock: 'Screen lock',
  services: 'Required service',
};

/** A newer relay may name checks this page does not know; their own name is still true. */
export const checkTitle = (check: string): string => CHECK_TITLES[check as Check['check']] ?? check;

export const CHECK_STATUS: Record<Check['status'], Sign> = {
  pass: { tone: 'ok', icon: 'check', word: 'Pass' },
  fail: { tone: 'bad', icon: 'cross', word: 'Fail' },
  unknown: { tone: 'unknown', icon: 'question', word: 'Unknown' },
  not_applicable: { tone: 'neutral', icon: 'dash', word: 'Not applicable' },
};

const STATUS_ORDER: Record<Check['status'], number> = { fail: 0, unknown: 1, pass: 2, not_applicable: 3 };

/** What is not fine first. */
export const compareChecks = (a: Check, b: Check): number =>
  STATUS_ORDER[a.status] - STATUS_ORDER[b.status] ||
  a.check.localeCompare(b.check) ||
  a.subject.localeCompare(b.subject);

/** `pending_security` reads "pending security". */
export const factName = (key: string): string => key.replaceAll('_', ' ');

export function factValue(value: Check['facts'][string] | undefined): string {
  if (value === undefined) return 'not named';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  return value === '' ? 'empty' : String(value);
}
