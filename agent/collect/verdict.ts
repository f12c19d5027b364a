import { CHECKS, type CheckName, type CheckSeverity } from '@sitewarden/agent-proto/checks';
import type { Verdict } from './types.ts';

export interface VerdictMaker {
  pass(actual: string, reason: string): Verdict;
  fail(severity: CheckSeverity, actual: string, reason: string): Verdict;
  unknown(reason: string): Verdict;
  notApplicable(reason: string): Verdict;
}

/** Verdicts of one check: its controls and its expectation are the same whatever was found. */
export function verdictsOf(check: CheckName, expected: string): VerdictMaker {
  const { controls } = CHECKS[check];
  return {
    pass: (actual, reason) => ({ status: 'pass', severity: 'info', expected, actual, reason, controls }),
    fail: (severity, actual, reason) => ({ status: 'fail', severity, expected, actual, reason, controls }),
    // Not knowing is worth a look, yet less than a known fault.
    unknown: (reason) => ({ status: 'unknown', severity: 'low', expected, actual: 'unknown', reason, controls }),
    notApplicable: (reason) => ({
      status: 'not_applicable',
      severity: 'info',
      expected,
      actual: 'not applicable',
      reason,
      controls,
    }),
  };
}
