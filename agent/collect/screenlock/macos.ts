import type { Facts } from '@sitewarden/agent-proto/agent';
import type { ToolResult } from '@sitewarden/kit/exec';
import { askTool } from '../ask-tool.ts';
import { toolProblem } from '../tool-problem.ts';
import type { CollectContext, Observation } from '../types.ts';

export async function collectScreenlockMac({ signal }: CollectContext): Promise<Observation[]> {
  const ask = (argv: readonly [string, ...string[]]) => askTool(argv, { signal, timeoutMs: 6000 });
  const console_ = await ask(['/usr/bin/stat', '-f', '%u', '/dev/console']);
  const uid = console_.ok ? consoleUid(console_.stdout) : undefined;
  if (uid === undefined) return [{ subject: '', facts: { probe_error: toolProblem('stat', 'macOS', console_) } }];
  // At the log-in window the console belongs to root.
  if (uid < FIRST_PERSON_UID) return [{ subject: '', facts: { desktop: 'installed', graphical_sessions: 0 } }];
  // The settings are that person's, so they are asked with that person's rights, in that person's session.
  const own = ['/bin/launchctl', 'asuser', String(uid), '/usr/bin/sudo', '-n', '-u', `#${uid}`] as const;
  const [lock, idle, managed, power] = await Promise.all([
    ask([...own, '/usr/sbin/sysadminctl', '-screenLock', 'status']),
    ask([...own, '/usr/bin/defaults', '-currentHost', 'read', 'com.apple.screensaver', 'idleTime']),
    ask(['/usr/bin/defaults', 'read', '/Library/Managed Preferences/com.apple.screensaver', 'idleTime']),
    ask(['/usr/bin/pmset', '-g']),
  ]);
  return [{ subject: '', facts: macLockFacts({ lock, idle, managed, power }) }];
}

const FIRST_PERSON_UID = 500;

export function consoleUid(text: string): number | undefined {
  return /^\d{1,10}$/.test(text.trim()) ? Number(text.trim()) : undefined;
}

/** Seconds from the screen going dark to the lock; 'off': it never asks for a password. */
export function parseScreenLock(text: string): number | 'off' | undefined {
  const found = /screenLock (?:delay )?is (off|immediate|-?\d+)/i.exec(text)?.[1]?.toLowerCase();
  if (found === undefined) return undefined;
  if (found === 'immediate') return 0;
  return found === 'off' || Number(found) < 0 ? 'off' : Number(found);
}

/** Minutes until the display sleeps, in the settings in use now; 0 for never. */
export function parseDisplaySleep(text: string): number | undefined {
  const minutes = /^\s*displaysleep\s+(\d{1,5})\b/m.exec(text)?.[1];
  return minutes === undefined ? undefined : Number(minutes);
}

type Answer = Pick<ToolResult, 'ok' | 'stdout' | 'stderr' | 'exitCode'>;

export interface MacLockSight {
  /** sysadminctl, which speaks on stderr. */
  readonly lock: Answer;
  /** idleTime of the screen saver, the person's and the profile's. `defaults` ends with 1 for what is not set. */
  readonly idle: Answer;
  readonly managed: Answer;
  readonly power: Answer;
}

/** The screen goes dark by the screen saver or by the display's sleep, whichever is first, and locks after the delay. */
export function macLockFacts({ lock, idle, managed, power }: MacLockSight): Facts {
  const facts: Facts = { desktop: 'macos', graphical_sessions: 1 };
  const delay = lock.ok ? parseScreenLock(`${lock.stdout}\n${lock.stderr}`) : undefined;
  if (delay === undefined) {
    return {
      ...facts,
      probe_error: 'sysadminctl does not tell the lock of the screen. Look in System Settings, Lock Screen.',
    };
  }
  if (delay === 'off') return { ...facts, source: 'own', lock_enabled: false, idle_seconds: 0 };
  const saver = secondsOf(managed) ?? secondsOf(idle);
  const minutes = power.ok ? parseDisplaySleep(power.stdout) : undefined;
  const times = [saver ?? 0, (minutes ?? 0) * 60].filter((time) => time > 0);
  const source = managed.ok ? 'profile' : 'own';
  if (times.length > 0) return { ...facts, source, lock_enabled: true, idle_seconds: Math.min(...times) + delay };
  // Never, when both said so; a screen saver that was never set runs after a time that macOS chooses.
  if (saver === 0 && minutes === 0) return { ...facts, source, lock_enabled: true, idle_seconds: 0 };
  return {
    ...facts,
    source,
    probe_error: 'When the screen goes dark is not set. Set it in System Settings, Lock Screen.',
  };
}

const secondsOf = ({ ok, stdout }: Answer): number | undefined =>
  ok && /^\d{1,9}$/.test(stdout.trim()) ? Number(stdout.trim()) : undefined;
