import { AGENT_LIMITS, type Facts, fitFacts } from '@sitewarden/agent-proto/agent';
import { CHECKS, isCheckName } from '@sitewarden/agent-proto/checks';
import type { ServiceManager } from '@sitewarden/kit/services';
import { systemClock } from '@sitewarden/kit/time';
import { createWindowsRound, type WindowsRound } from '../windows/index.ts';
import { COLLECTORS } from './collectors.ts';
import type { CheckOutcome, Collector, Observation } from './types.ts';
import { verdictsOf } from './verdict.ts';

export interface RunChecksOptions {
  /** Names asked for; names the agent does not know give one unknown result each. */
  readonly checks: readonly string[];
  readonly requiredServices: readonly string[];
  readonly services: ServiceManager;
  /** For one collector. Default 15000, or what the collector says of this platform. */
  readonly timeoutMs?: number;
  /** Calls all of it off. */
  readonly signal?: AbortSignal;
  readonly collectors?: readonly Collector[];
  /** Told what each collector found as soon as it has; must not throw. */
  readonly onFound?: (outcomes: readonly CheckOutcome[]) => void;
}

const DEFAULT_TIMEOUT_MS = 15_000;
/** All checks of a round wait for one PowerShell process, which takes seconds to start on a slow disk. */
const WINDOWS_TIMEOUT_MS = 60_000;
const MAX_UNKNOWN_CHECKS = 16;

/** Runs the checks side by side. Never throws: a collector that throws or takes too long gives unknown with the reason. */
export async function runChecks(options: RunChecksOptions): Promise<CheckOutcome[]> {
  const collectors = options.collectors ?? COLLECTORS;
  const wanted = [...new Set(options.checks)];
  const known = collectors.filter(({ name }) => wanted.includes(name));
  const unknown = wanted.filter((name) => !collectors.some((collector) => collector.name === name));
  const notKnown = unknown.slice(0, MAX_UNKNOWN_CHECKS).map(unknownCheck);
  if (notKnown.length > 0) options.onFound?.(notKnown);
  const sections = [...new Set(known.flatMap(({ windowsSections = [] }) => windowsSections))];
  const windows = createWindowsRound({ sections });
  try {
    const outcomes = await Promise.all(
      known.map(async (collector) => {
        const found = await runOne(collector, options, windows);
        options.onFound?.(found);
        return found;
      }),
    );
    return [...outcomes.flat(), ...notKnown];
  } finally {
    windows.close();
  }
}

async function runOne(collector: Collector, options: RunChecksOptions, windows: WindowsRound): Promise<CheckOutcome[]> {
  const collectedAtMs = systemClock.nowMs();
  const beganMs = systemClock.monotonicMs();
  const observations = await observe(collector, { ...options, windows }, collectedAtMs);
  const durationMs = Math.round(systemClock.monotonicMs() - beganMs);
  return observations.map(({ subject, facts: raw }) => {
    const facts = boundFacts(collector, raw);
    return { check: collector.name, subject, facts, ...collector.evaluate(facts), collectedAtMs, durationMs };
  });
}

async function observe(
  collector: Collector,
  { requiredServices, services, windows, signal: callOff, ...options }: RunChecksOptions & { windows: WindowsRound },
  nowMs: number,
): Promise<readonly Observation[]> {
  const timeoutMs = options.timeoutMs ?? collector.timeoutMs?.[process.platform] ?? usualTimeoutMs();
  const failed = (probe_error: string): readonly Observation[] => {
    const subjects = collector.subjects?.(requiredServices) ?? [''];
    return subjects.map((subject) => ({ subject, facts: { probe_error } }));
  };
  if (!collector.platforms.includes(process.platform)) {
    return failed(`The agent cannot look at this on ${process.platform}. Look by hand.`);
  }
  const timeout = new AbortController();
  // Not AbortSignal.timeout: its timer would not keep a process alive that waits for nothing else.
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  const signal = callOff === undefined ? timeout.signal : AbortSignal.any([timeout.signal, callOff]);
  const late = new Promise<readonly Observation[]>((resolve) => {
    const onAbort = () => resolve(failed(lateReason(timeout.signal.aborted, timeoutMs)));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([collector.collect({ requiredServices, services, nowMs, signal, windows }), late]);
  } catch (error) {
    // The error's own words stay here: they can hold paths and names of people.
    const code = (error as NodeJS.ErrnoException | undefined)?.code;
    return failed(
      `Looking failed${typeof code === 'string' ? ` with ${code}` : ''}. Run the agent as ${process.platform === 'win32' ? 'SYSTEM' : 'root'}.`,
    );
  } finally {
    clearTimeout(timer);
  }
}

const usualTimeoutMs = (): number => (process.platform === 'win32' ? WINDOWS_TIMEOUT_MS : DEFAULT_TIMEOUT_MS);

function lateReason(isTimeout: boolean, timeoutMs: number): string {
  return isTimeout
    ? `No answer within ${timeoutMs / 1000} s. Look at the load of this machine and run the check again.`
    : 'The agent was stopped while it looked. The check runs again after its start.';
}

function unknownCheck(check: string): CheckOutcome {
  const collectedAtMs = systemClock.nowMs();
  const reason = 'This agent does not know the check. Update the agent.';
  const name = check.slice(0, AGENT_LIMITS.maxFactNameChars);
  const verdict = { ...verdictsOf('services', 'the check is run').unknown(reason), controls: [] };
  return { check: name, subject: '', facts: {}, ...verdict, collectedAtMs, durationMs: 0 };
}

/** Only names of the catalogue, within the contract's bounds: a message outside them would be refused whole. */
function boundFacts({ name }: Collector, raw: Facts): Facts {
  const allowed: readonly string[] = isCheckName(name) ? CHECKS[name].facts : [];
  const facts: Facts = {};
  for (const [key, value] of Object.entries(raw)) {
    if (!allowed.includes(key)) continue;
    if (typeof value === 'string') facts[key] = clip(value);
    else if (Array.isArray(value)) facts[key] = value.slice(0, AGENT_LIMITS.maxFactListItems).map(clip);
    else if (typeof value === 'boolean' || Number.isSafeInteger(value)) facts[key] = value;
  }
  return fitFacts(facts, AGENT_LIMITS.maxFactsBytes);
}

const clip = (text: string): string => text.slice(0, AGENT_LIMITS.maxFactTextChars);
