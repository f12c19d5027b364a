import type { ToolResult } from '@sitewarden/kit/exec';

const NOT_ALLOWED =
  /not permitted|permission denied|must be root|need to be root|authorization failed|not authorized|access denied/i;

/** Why a tool told us nothing, and what to do: for the `probe_error` fact. Its own words stay out: they may name users. */
export function toolProblem(tool: string, packageName: string, result: ToolResult): string {
  if (result.missing) return `${tool} is not installed. Install ${packageName}.`;
  if (result.timedOut || result.aborted) return `${tool} did not answer in time. Run it by hand on this machine.`;
  if (isNotAllowed(result)) return `${tool} may not be asked by this account. Run the agent as root.`;
  if (result.truncated) return `${tool} answered with more than the agent reads. Run it by hand on this machine.`;
  if (result.exitCode === 0) return `${tool} answered in a form the agent does not know. Update the agent.`;
  return `${tool} failed with exit code ${result.exitCode}. Run it by hand on this machine.`;
}

export function isNotAllowed(result: ToolResult): boolean {
  return !result.ok && NOT_ALLOWED.test(`${result.stderr}\n${result.stdout}`);
}
