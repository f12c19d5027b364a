import { stripVTControlCharacters } from 'node:util';
import { kitErrors } from '../errors/index.ts';
import { runTool, type ToolResult } from '../exec/index.ts';
import type { ServiceCall } from './types.ts';

export const DEFAULT_TIMEOUT_MS = 20_000;
const MAX_BYTES = 64 * 1024;

/** Throws SERVICE_TIMEOUT, SERVICE_ACTION_ABORTED; any exit code is the caller's to judge. */
export async function runManager(
  argv: readonly [string, ...string[]],
  { signal, timeoutMs }: ServiceCall & { timeoutMs: number },
): Promise<ToolResult> {
  const result = await runTool(argv, {
    timeoutMs,
    maxBytes: MAX_BYTES,
    env: { PATH: `${process.env.PATH ?? '/usr/bin:/bin'}:/usr/sbin:/sbin` },
    ...(signal === undefined ? {} : { signal }),
  });
  const detail = argv.join(' ');
  if (result.aborted) throw kitErrors.make('SERVICE_ACTION_ABORTED', { detail });
  if (result.timedOut) throw kitErrors.make('SERVICE_TIMEOUT', { detail: `${detail} took more than ${timeoutMs} ms` });
  return result;
}

/** The last thing said, which is where managers put the reason; without terminal colours. */
export function lastWords(result: ToolResult): string {
  const text = stripVTControlCharacters(`${result.stdout}\n${result.stderr}`);
  const lines = text.split(/[\r\n]+/).map((line) => line.trim());
  return (lines.findLast((line) => line !== '') ?? '').slice(0, 300);
}
