import { runTool } from '@sitewarden/kit/exec';
import { failedAnswer, hexOf, problemOfCode, type SectionAnswer } from './answers.ts';
import type { WindowsTools } from './tools.ts';
import { parseWmic } from './wmic-text.ts';

export interface WmicQuery {
  /** Default root\cimv2. */
  readonly namespace?: string;
  readonly className: string;
  readonly properties: readonly string[];
  /** Asked for alone where the rest is not known: the whole question is refused for one property that an older one lacks. */
  readonly least?: readonly string[];
}

export interface ToolCall {
  readonly tools: WindowsTools;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 20_000;
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Where PowerShell cannot be used. wmic.exe is an optional part of Windows 11 and gone from its newest releases; it ends
 * with the HRESULT of WMI, which is told apart where its words, translated as they are, are not.
 */
export async function askWmic({ least, ...query }: WmicQuery, call: ToolCall): Promise<SectionAnswer> {
  const answer = await askOnce(query, call);
  const isRefused = !answer.ok && answer.problem === 'failed';
  return isRefused && least !== undefined ? askOnce({ ...query, properties: least }, call) : answer;
}

async function askOnce({ namespace, className, properties }: WmicQuery, call: ToolCall): Promise<SectionAnswer> {
  const [program, ...first] = call.tools.wmic;
  const where = namespace === undefined ? [] : [`/namespace:\\\\${namespace}`];
  const argv = [program, ...first, ...where, 'path', className, 'get', properties.join(','), '/value'] as const;
  const result = await runTool([...argv], {
    signal: call.signal,
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_BYTES,
    encoding: 'detect',
    // Without an end of its input wmic waits for more.
    input: '',
  });
  if (result.missing) return failedAnswer('no_tool');
  if (result.timedOut || result.aborted) return failedAnswer('late');
  if (result.exitCode !== 0) return { ok: false, ...problemOfCode(hexOf(result.exitCode ?? 0)) };
  if (result.truncated) return failedAnswer('odd_answer');
  const rows = parseWmic(result.stdout, properties);
  // Words and no rows: an error that wmic reports with exit code 0.
  if (rows.length === 0 && result.stderr.trim() !== '') {
    const found = problemOfCode(result.stderr);
    return { ok: false, ...found };
  }
  return { ok: true, source: 'wmic', rows };
}
