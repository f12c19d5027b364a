import type { Facts } from '@sitewarden/agent-proto/agent';
import { rowInteger, rowText, type SectionAnswer } from '../../windows/index.ts';

/** Exit codes of a service that was stopped by hand, or never started since boot. */
const CLEAN_EXITS = [0, 1077];

/** Of Win32_Service, whose states are not translated; undefined when the list does not tell. */
export function windowsServiceFacts(service: string, answer: SectionAnswer): Facts | undefined {
  if (!answer.ok || answer.rows.length === 0) return undefined;
  const row = answer.rows.find((one) => rowText(one, 'Name')?.toLowerCase() === service.toLowerCase());
  const facts: Facts = { service, manager: 'windows' };
  if (row === undefined) return { ...facts, state: 'not_installed' };
  const state = rowText(row, 'State') ?? '';
  const mode = rowText(row, 'StartMode');
  const exit = rowInteger(row, 'ExitCode');
  const detail = [state, mode === undefined ? '' : `start ${mode.toLowerCase()}`].filter(Boolean).join(', ');
  switch (state) {
    case 'Running':
      return { ...facts, state: 'running', detail };
    case 'Stopped':
    case 'Paused': {
      const hasFailed = exit !== undefined && !CLEAN_EXITS.includes(exit);
      return {
        ...facts,
        state: hasFailed ? 'failed' : 'stopped',
        detail: hasFailed ? `${detail}, exit code ${exit}` : detail,
      };
    }
    default:
      return { ...facts, state: 'unknown', detail };
  }
}
