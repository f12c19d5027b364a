import { kitErrors } from '../errors/index.ts';
import type { ServiceCall, ServiceManager, ServiceStatus } from './types.ts';
import { assertServiceName } from './types.ts';

/** Each call goes to the first manager that knows the name; declared services therefore come before the system's. */
export function combineManagers(managers: readonly ServiceManager[]): ServiceManager {
  async function find(
    name: string,
    call?: ServiceCall,
  ): Promise<{ manager: ServiceManager; status: ServiceStatus } | undefined> {
    assertServiceName(name);
    for (const manager of managers) {
      const status = await manager.status(name, call);
      if (status.state !== 'not_installed') return { manager, status };
    }
    return undefined;
  }

  async function act(verb: 'start' | 'restart' | 'stop', name: string, call?: ServiceCall): Promise<void> {
    const found = await find(name, call);
    if (found === undefined)
      throw kitErrors.make('SERVICE_UNKNOWN', { detail: `no service manager here knows ${name}` });
    await found.manager[verb](name, call);
  }

  return {
    kind: 'combined',
    status: async (name, call) =>
      (await find(name, call))?.status ?? { state: 'not_installed', detail: 'no service manager here knows it' },
    start: (name, call) => act('start', name, call),
    restart: (name, call) => act('restart', name, call),
    stop: (name, call) => act('stop', name, call),
  };
}
