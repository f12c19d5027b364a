import { kitErrors } from '../errors/index.ts';
import { DEFAULT_TIMEOUT_MS, lastWords, runManager } from './run-manager.ts';
import { assertServiceName, type ServiceCall, type ServiceManager, type ServiceStatus } from './types.ts';

/** Reads `systemctl show -p LoadState,ActiveState,SubState,Result`: key=value lines in any order. */
export function parseSystemdShow(text: string): ServiceStatus {
  const fields = new Map(text.split('\n').map((line) => splitOnce(line.trim())));
  const load = fields.get('LoadState') ?? '';
  const active = fields.get('ActiveState') ?? '';
  const sub = fields.get('SubState') ?? '';
  const result = fields.get('Result') ?? '';
  const words = [load, active, sub].filter((word) => word !== '').join(' ');
  const detail = active === 'failed' && result !== '' ? `${words} (${result})` : words;
  if (load === 'not-found') return { state: 'not_installed', detail };
  if (load === 'bad-setting' || load === 'error') return { state: 'failed', detail };
  switch (active) {
    case 'active':
      // A oneshot that ended well stays "active (exited)": nothing runs, and nothing should.
      return { state: 'running', detail };
    case 'reloading':
    case 'refreshing':
      return { state: 'running', detail };
    case 'failed':
      return { state: 'failed', detail };
    case 'inactive':
    case 'deactivating':
      return { state: 'stopped', detail };
    case 'activating':
      // Between two crashes a restarting unit is "activating (auto-restart)".
      return { state: sub === 'auto-restart' ? 'failed' : 'unknown', detail };
    default:
      return { state: 'unknown', detail: detail || 'systemctl said nothing' };
  }
}

export function createSystemdManager({ timeoutMs = DEFAULT_TIMEOUT_MS }: { timeoutMs?: number } = {}): ServiceManager {
  async function status(name: string, call: ServiceCall = {}): Promise<ServiceStatus> {
    assertServiceName(name);
    const argv = ['systemctl', 'show', '-p', 'LoadState,ActiveState,SubState,Result', '--', name] as const;
    const result = await runManager(argv, { ...call, timeoutMs });
    return result.ok ? parseSystemdShow(result.stdout) : { state: 'unknown', detail: lastWords(result) };
  }

  async function act(verb: 'start' | 'restart' | 'stop', name: string, call: ServiceCall = {}): Promise<void> {
    const before = await status(name, call);
    if (before.state === 'not_installed') throw kitErrors.make('SERVICE_UNKNOWN', { detail: `${name} is not a unit` });
    const result = await runManager(['systemctl', '--no-ask-password', verb, '--', name], { ...call, timeoutMs });
    if (!result.ok) {
      throw kitErrors.make('SERVICE_MANAGER_FAILED', { detail: `systemctl ${verb} ${name}: ${lastWords(result)}` });
    }
  }

  return {
    kind: 'systemd',
    status,
    start: (name, call) => act('start', name, call),
    restart: (name, call) => act('restart', name, call),
    stop: (name, call) => act('stop', name, call),
  };
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf('=');
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}
