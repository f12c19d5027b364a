import { kitErrors } from '../errors/index.ts';

export type ServiceState = 'running' | 'stopped' | 'failed' | 'unknown' | 'not_installed';

export interface ServiceStatus {
  readonly state: ServiceState;
  /** What the manager said, for people. */
  readonly detail: string;
}

export interface ServiceCall {
  /** Calls the action off: SERVICE_ACTION_ABORTED. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Every method throws SERVICE_NAME_INVALID for a bad name and SERVICE_TIMEOUT or SERVICE_ACTION_ABORTED when cut short.
 * The actions throw SERVICE_UNKNOWN and SERVICE_MANAGER_FAILED; `status` answers those as a state.
 */
export interface ServiceManager {
  readonly kind: ServiceManagerKind;
  status(name: string, call?: ServiceCall): Promise<ServiceStatus>;
  start(name: string, call?: ServiceCall): Promise<void>;
  restart(name: string, call?: ServiceCall): Promise<void>;
  stop(name: string, call?: ServiceCall): Promise<void>;
}

export type ServiceManagerKind = 'systemd' | 'sysv' | 'windows' | 'launchd' | 'pidfile' | 'combined';

/** Throws SERVICE_NAME_INVALID. No slash, so a name is never a path; no leading hyphen, so it is never an option. */
export function assertServiceName(name: string): void {
  if (typeof name === 'string' && /^[A-Za-z0-9@._][A-Za-z0-9@._-]{0,63}$/.test(name) && name !== '.' && name !== '..')
    return;
  throw kitErrors.make('SERVICE_NAME_INVALID', { field: 'service' });
}
