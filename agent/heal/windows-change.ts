import { agentErrors } from '../errors.ts';
import { type ChangeName, type Row, runChange, sectionProblem } from '../windows/index.ts';
import type { ActionContext } from './actions/types.ts';

const TIMEOUT_MS = 60_000;

export interface ChangeOptions {
  readonly timeoutMs?: number;
  readonly params?: Readonly<Record<string, number>>;
}

/** One change by PowerShell. Throws TOOL_FAILED, or ACTION_NOT_POSSIBLE where the language mode forbids it. */
export async function changeByPowershell(
  name: ChangeName,
  { host, signal }: ActionContext,
  { timeoutMs = TIMEOUT_MS, ...rest }: ChangeOptions = {},
): Promise<Row> {
  const answer = await runChange(name, { ...rest, tools: host.tools, timeoutMs, signal, run: host.run });
  signal.throwIfAborted();
  if (!answer.ok) throw agentErrors.make('TOOL_FAILED', { detail: sectionProblem(`PowerShell (${name})`, answer) });
  if (answer.row.Mode === 'constrained') {
    throw agentErrors.make('ACTION_NOT_POSSIBLE', {
      detail: 'PowerShell is confined here (Device Guard or AppLocker). Allow the agent, or do it in Windows Update',
    });
  }
  return answer.row;
}
