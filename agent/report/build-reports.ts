import { AGENT_LIMITS, CheckResult, type Report } from '@sitewarden/agent-proto/agent';
import { isCheckName } from '@sitewarden/agent-proto/checks';
import type { CheckOutcome } from '../collect/index.ts';
import type { RmmSighting } from '../rmm/index.ts';
import { toCheckResult } from './check-result.ts';

/** Half a message: room for the findings and the frame, and a report that is refused takes less with it. */
const MAX_RESULT_BYTES = AGENT_LIMITS.maxMessageBytes / 2;

export interface ReportContent {
  readonly outcomes: readonly CheckOutcome[];
  /** All there are; undefined when nobody looked. */
  readonly rmm: readonly RmmSighting[] | undefined;
  /** Empty when nobody asked. */
  readonly orderId: string;
}

/**
 * Cuts the outcomes into reports within the contract's bounds, in order. Results of checks this agent does not know go
 * into a report of their own: an appliance that does not know them either refuses a report as a whole.
 */
export function buildReports({ outcomes, rmm, orderId }: ReportContent): Omit<Report, 'seq'>[] {
  const known = outcomes.filter(({ check }) => isCheckName(check));
  const unknown = outcomes.filter(({ check }) => !isCheckName(check));
  const batches = [...cut(known.map(toCheckResult)), ...cut(unknown.map(toCheckResult))];
  return batches.map((results, index) => {
    const found = index === 0 ? rmm : undefined;
    const rmmFindings = (found ?? []).slice(0, AGENT_LIMITS.maxRmmFindingsPerReport).map((finding) => ({ ...finding }));
    return { results, rmmFindings, orderId, rmmLooked: found !== undefined };
  });
}

function cut(results: readonly CheckResult[]): CheckResult[][] {
  const batches: CheckResult[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const result of results) {
    const size = CheckResult.encode(result).finish().length;
    if (bytes + size > MAX_RESULT_BYTES || batches.at(-1)!.length >= AGENT_LIMITS.maxResultsPerReport) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)!.push(result);
    bytes += size;
  }
  return batches;
}
