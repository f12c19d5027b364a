import {
  type CheckResult,
  encodeFacts,
  type Facts,
  Report,
  severityToWire,
  statusToWire,
} from '@sitewarden/agent-proto/agent';
import { CHECKS, type CheckName, type CheckSeverity, type CheckStatus } from '@sitewarden/agent-proto/checks';

export interface ResultInput {
  readonly check?: CheckName | string;
  readonly subject?: string;
  readonly status?: CheckStatus;
  readonly severity?: CheckSeverity;
  readonly actual?: string;
  readonly reason?: string;
  readonly facts?: Facts;
  readonly collectedAtMs: number;
}

export function checkResult(input: ResultInput): CheckResult {
  const check = input.check ?? 'services';
  return {
    check,
    subject: input.subject ?? 'cron',
    status: statusToWire(input.status ?? 'fail'),
    severity: severityToWire(input.severity ?? 'high'),
    controls: [...(CHECKS[check as CheckName]?.controls ?? [])],
    expected: 'the service is running',
    actual: input.actual ?? 'stopped',
    reason: input.reason ?? 'cron is stopped. Start it.',
    facts: encodeFacts(input.facts ?? { service: input.subject ?? 'cron', manager: 'sysv', state: 'stopped' }),
    collectedAtMs: input.collectedAtMs,
    durationMs: 5,
  };
}

export function encodeReport(seq: number, results: readonly CheckResult[], orderId = ''): Uint8Array {
  return Report.encode({ seq, results: [...results], rmmFindings: [], orderId, rmmLooked: false }).finish();
}
