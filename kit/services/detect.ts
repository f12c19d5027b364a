import { existsSync } from 'node:fs';
import { combineManagers } from './combine.ts';
import { createLaunchdManager } from './launchd.ts';
import { createPidfileManager } from './pidfile.ts';
import { createSystemdManager } from './systemd.ts';
import { createSysvManager } from './sysv.ts';
import type { ServiceManager } from './types.ts';
import { createWindowsServices } from './windows.ts';

export interface DetectOptions {
  /** Folder of declared services, looked at first. */
  readonly pidfileDir?: string | undefined;
  readonly timeoutMs?: number;
}

/** What this host runs its services with. /run/systemd/system exists exactly when systemd is PID 1 (sd_booted(3)). */
export function detectServiceManager({ pidfileDir, ...options }: DetectOptions = {}): ServiceManager {
  const system = systemManager(options);
  return pidfileDir === undefined
    ? system
    : combineManagers([createPidfileManager({ dir: pidfileDir, ...options }), system]);
}

function systemManager(options: { timeoutMs?: number }): ServiceManager {
  if (process.platform === 'win32') return createWindowsServices(options);
  if (process.platform === 'darwin') return createLaunchdManager(options);
  return existsSync('/run/systemd/system') ? createSystemdManager(options) : createSysvManager(options);
}
