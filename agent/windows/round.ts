import { failedAnswer, type SectionAnswer, type SectionProblem } from './answers.ts';
import { askWithoutPowershell } from './fallback.ts';
import { askPowershell } from './powershell.ts';
import type { SectionName } from './sections.ts';
import { type WindowsTools, windowsTools } from './tools.ts';

export interface WindowsRound {
  /** Never rejects. A section that was not named at the start is `no_tool`. */
  ask(section: SectionName): Promise<SectionAnswer>;
  /** Ends what still runs; open questions are answered `late`. */
  close(): void;
}

export interface WindowsRoundOptions {
  readonly sections: readonly SectionName[];
  readonly tools?: WindowsTools;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Searching what is known of updates takes a minute on a slow disk. */
const TIMEOUT_MS = 110_000;

/** What one round asks of Windows: one PowerShell process, begun with the first question, and wmic and reg where it fails. */
export function createWindowsRound(options: WindowsRoundOptions): WindowsRound {
  const { sections, tools = windowsTools(), timeoutMs = TIMEOUT_MS } = options;
  const closing = new AbortController();
  const signal = options.signal === undefined ? closing.signal : AbortSignal.any([closing.signal, options.signal]);
  let begun: Map<SectionName, Promise<SectionAnswer>> | undefined;
  const again = new Map<SectionName, Promise<SectionAnswer>>();

  async function ask(section: SectionName): Promise<SectionAnswer> {
    begun ??= sections.length === 0 ? new Map() : askPowershell({ sections, tools, timeoutMs, signal });
    const answer = await (begun.get(section) ?? failedAnswer('no_tool'));
    if (answer.ok || !isWorthAsking(section, answer.problem)) return answer;
    let second = again.get(section);
    if (second === undefined) {
      second = askWithoutPowershell(section, { tools, signal });
      again.set(section, second);
    }
    return second;
  }

  return { ask, close: () => closing.abort() };
}

/**
 * Where PowerShell itself was the hindrance. Of the registry any failure is: one value that is not what its type says
 * makes Get-ItemProperty give up on a whole key.
 */
function isWorthAsking(section: SectionName, problem: SectionProblem): boolean {
  if (['no_tool', 'no_command', 'odd_answer'].includes(problem)) return true;
  return problem === 'failed' && ['programs', 'screenlock', 'reboot'].includes(section);
}
