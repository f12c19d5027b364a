import { existsSync } from 'node:fs';
import { runTool } from '@sitewarden/kit/exec';

const TIMEOUT_MS = 2000;

/** True when the kernel's clock is disciplined by NTP; false also when nobody can tell. */
export async function isClockSynced(): Promise<boolean> {
  // systemd-timesyncd makes this file at its first synchronisation after boot.
  if (existsSync('/run/systemd/timesync/synchronized')) return true;
  const result = await runTool(['timedatectl', 'show', '-p', 'NTPSynchronized'], { timeoutMs: TIMEOUT_MS });
  return result.ok && parseNtpSynchronized(result.stdout);
}

export const parseNtpSynchronized = (text: string): boolean => /^NTPSynchronized=yes$/m.test(text);
