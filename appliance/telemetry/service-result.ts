import { type CheckResult, encodeFacts, type Facts, severityToWire, statusToWire } from '@sitewarden/agent-proto/agent';
import { CHECKS, type CheckSeverity, type CheckStatus } from '@sitewarden/agent-proto/checks';
import type { ServiceState } from '@sitewarden/kit/services';

interface Verdict {
  readonly status: CheckStatus;
  readonly severity: CheckSeverity;
  readonly actual: string;
  /** On anything but pass it ends with the next step. */
  readonly reason: string;
}

const VERDICTS: Record<ServiceState, (service: string) => Verdict> = {
  running: (service) => ({ status: 'pass', severity: 'info', actual: 'running', reason: `${service} is running.` }),
  stopped: (service) => failed('stopped', `${service} is stopped. Start it on the box.`),
  failed: (service) => failed('failed', `${service} has failed. Look at its log on the box, then restart it.`),
  not_installed: (service) =>
    failed('not installed', `The box has no service ${service}. Install it, or take it off box.requiredServices.`),
  unknown: (service) =>
    unknown(`The state of ${service} could not be read. Ask the service manager of the box by hand.`),
};

const failed = (actual: string, reason: string): Verdict => ({ status: 'fail', severity: 'high', actual, reason });
const unknown = (reason: string): Verdict => ({ status: 'unknown', severity: 'low', actual: 'unknown', reason });

export interface ServiceObservation {
  /** Empty: nothing is required. */
  readonly service: string;
  readonly state: ServiceState | 'not_required';
  readonly manager: string;
  readonly detail?: string | undefined;
  readonly probeError?: string | undefined;
  readonly collectedAtMs: number;
  readonly durationMs: number;
}

/** Pure: the result of the check `services` for one service of the box. */
export function serviceResult(seen: ServiceObservation): CheckResult {
  const { service, state, manager, detail, probeError, collectedAtMs, durationMs } = seen;
  const verdict = probeError === undefined ? verdictOf(state, service) : unknown(probeError);
  const facts: Facts = {
    ...(service === '' ? {} : { service }),
    manager,
    ...(state === 'not_required' ? {} : { state }),
    ...(detail ? { detail: detail.slice(0, 256) } : {}),
    ...(probeError === undefined ? {} : { probe_error: probeError.slice(0, 1024) }),
  };
  return {
    check: 'services',
    subject: service,
    status: statusToWire(verdict.status),
    severity: severityToWire(verdict.severity),
    controls: [...CHECKS.services.controls],
    expected: 'the service is running',
    actual: verdict.actual,
    facts: encodeFacts(facts),
    collectedAtMs,
    durationMs,
    reason: verdict.reason.slice(0, 1024),
  };
}

function verdictOf(state: ServiceObservation['state'], service: string): Verdict {
  if (state !== 'not_required') return VERDICTS[state](service);
  const reason = service === '' ? 'The box requires no service of itself.' : `${service} is no longer required.`;
  return { status: 'not_applicable', severity: 'info', actual: 'not applicable', reason };
}
