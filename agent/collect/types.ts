import type { Facts } from '@sitewarden/agent-proto/agent';
import type { CheckName, CheckSeverity, CheckStatus } from '@sitewarden/agent-proto/checks';
import type { ServiceManager } from '@sitewarden/kit/services';
import type { SectionName, WindowsRound } from '../windows/index.ts';

/** What facts mean. `reason` and `actual` are for people; on anything but pass the reason ends with the next step. */
export interface Verdict {
  readonly status: CheckStatus;
  readonly severity: CheckSeverity;
  readonly expected: string;
  readonly actual: string;
  readonly reason: string;
  readonly controls: readonly string[];
}

/** What was seen of one subject. `facts` holds only names of the check's closed set. */
export interface Observation {
  /** Empty when the check has a single subject. */
  readonly subject: string;
  readonly facts: Facts;
}

export interface CollectContext {
  readonly requiredServices: readonly string[];
  readonly services: ServiceManager;
  readonly nowMs: number;
  /** Fires when the collector's time is up; every tool it started is killed then. */
  readonly signal: AbortSignal;
  /** One PowerShell process for all checks of the round. Asked on Windows only. */
  readonly windows: WindowsRound;
}

export interface Collector {
  readonly name: CheckName;
  /** Where `collect` knows how to look; elsewhere the result is unknown. */
  readonly platforms: readonly NodeJS.Platform[];
  /** What it asks Windows for. */
  readonly windowsSections?: readonly SectionName[];
  /** How long it may look where that is longer than usual. */
  readonly timeoutMs?: Readonly<Partial<Record<NodeJS.Platform, number>>>;
  /** What it answers about when it cannot look. Default: the one empty subject. */
  subjects?(requiredServices: readonly string[]): readonly string[];
  collect(context: CollectContext): Promise<readonly Observation[]>;
  /** Pure: the same facts give the same verdict, and facts that say too little never give pass. */
  evaluate(facts: Facts): Verdict;
}

export interface CheckOutcome extends Verdict {
  /** A catalogue name, or the unknown name the appliance asked for. */
  readonly check: string;
  readonly subject: string;
  readonly facts: Facts;
  readonly collectedAtMs: number;
  readonly durationMs: number;
}
