import { runTool, type ToolResult } from '@sitewarden/kit/exec';
import { failedAnswer, type SectionAnswer } from './answers.ts';
import { createLineSplitter } from './line-splitter.ts';
import { parseLine } from './parse-line.ts';
import { buildScript, encodeScript } from './script.ts';
import type { SectionName } from './sections.ts';
import type { WindowsTools } from './tools.ts';

const MAX_LINE_BYTES = 4 * 1024 * 1024;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

export interface PowershellRun {
  readonly sections: readonly SectionName[];
  readonly tools: WindowsTools;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * One process for all the sections. Each answer is there as soon as its line is, so that a slow one holds up no other.
 * Never rejects; a section without a line is `no_tool` when PowerShell said nothing of ours at all.
 */
export function askPowershell({
  sections,
  tools,
  timeoutMs,
  signal,
}: PowershellRun): Map<SectionName, Promise<SectionAnswer>> {
  const answers = new Map<SectionName, PromiseWithResolvers<SectionAnswer>>(
    sections.map((name) => [name, Promise.withResolvers()]),
  );
  let lines = 0;
  const split = createLineSplitter(MAX_LINE_BYTES, (line) => {
    const parsed = parseLine(line);
    if (parsed === undefined) return;
    lines += 1;
    answers.get(parsed.section)?.resolve(parsed.answer);
  });
  const [program, ...first] = tools.powershell;
  const script = encodeScript(buildScript(sections));
  const argv = [program, ...first, '-NoProfile', '-NonInteractive', '-NoLogo', '-EncodedCommand', script] as const;
  void runTool([...argv], {
    timeoutMs,
    signal,
    encoding: 'detect',
    maxBytes: MAX_OUTPUT_BYTES,
    onOutput: split,
  }).then((result) => {
    split(Buffer.from('\n'));
    const rest = answerOfEnd(result, lines);
    for (const { resolve } of answers.values()) resolve(rest);
  });
  return new Map([...answers].map(([name, { promise }]) => [name, promise]));
}

/** For the sections that had no line when the process ended. */
function answerOfEnd(result: ToolResult, lines: number): SectionAnswer {
  if (result.timedOut || result.aborted) return failedAnswer('late');
  return lines === 0 ? failedAnswer('no_tool', String(result.exitCode ?? 'none')) : failedAnswer('odd_answer');
}
