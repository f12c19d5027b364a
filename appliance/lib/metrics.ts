import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface ApplianceMetrics {
  readonly registry: Registry;
  readonly stageRows: Counter<'stage'>;
  readonly stageFailures: Counter<'stage'>;
  readonly intakeReports: Counter<'result'>;
  readonly intakeResults: Counter;
  readonly intakeUnknown: Counter<'kind'>;
  readonly resultsIgnored: Counter<'why'>;
  readonly intakeCommitSeconds: Histogram;
  readonly intakeSessions: Gauge;
  readonly intakeRefusals: Counter<'code'>;
  readonly evidenceSize: Gauge;
  readonly evidenceCosignedSize: Gauge;
  readonly outboxDepth: Gauge<'lane'>;
  readonly outboxSent: Counter<'lane'>;
  readonly outboxFailures: Counter<'lane' | 'code'>;
  readonly uplinkCheckins: Counter<'result'>;
  readonly uplinkLastCheckin: Gauge;
  readonly wakes: Counter<'why'>;
  readonly wakeConnected: Gauge;
  readonly healingRuns: Counter<'action' | 'state'>;
  readonly incidentsOpen: Gauge;
}

/** One registry for each context, so that several appliances can live in one process. */
export function createMetrics(): ApplianceMetrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
    new Counter<L>({ name: `sitewarden_appliance_${name}`, help, labelNames, registers });
  const gauge = <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge<L>({ name: `sitewarden_appliance_${name}`, help, labelNames, registers });
  return {
    registry,
    stageRows: counter('stage_rows_total', 'Rows a stage has handled', ['stage']),
    stageFailures: counter('stage_failures_total', 'Turns of a stage that failed and were tried again', ['stage']),
    intakeReports: counter('intake_reports_total', 'Reports by what became of them', ['result']),
    intakeResults: counter('intake_results_total', 'Check results inside stored reports'),
    intakeUnknown: counter('intake_unknown_total', 'Parts of reports this version does not know and leaves out', [
      'kind',
    ]),
    resultsIgnored: counter('results_ignored_total', 'Check results nobody asked for, or beyond the bounds', ['why']),
    intakeCommitSeconds: new Histogram({
      name: 'sitewarden_appliance_intake_commit_seconds',
      help: 'From a report being read to its commit',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2],
      registers,
    }),
    intakeSessions: gauge('intake_sessions', 'Agents connected now'),
    intakeRefusals: counter('intake_refusals_total', 'Calls refused, by error code', ['code']),
    evidenceSize: gauge('evidence_entries', 'Entries in the evidence log'),
    evidenceCosignedSize: gauge('evidence_cosigned_entries', 'Entries below the newest cosigned checkpoint'),
    outboxDepth: gauge('outbox_rows', 'Rows waiting for the relay', ['lane']),
    outboxSent: counter('outbox_sent_total', 'Rows the relay has acknowledged', ['lane']),
    outboxFailures: counter('outbox_failures_total', 'Batches that did not go through', ['lane', 'code']),
    uplinkCheckins: counter('uplink_checkins_total', 'Check-ins by what became of them', ['result']),
    uplinkLastCheckin: gauge('uplink_last_checkin_timestamp_seconds', 'When the relay last answered a check-in'),
    wakes: counter('wakes_total', 'Wakes heard from the relay, by reason', ['why']),
    wakeConnected: gauge('wake_connected', 'Whether the relay can wake this box: 1 or 0'),
    healingRuns: counter('healing_runs_total', 'Action runs by state reached', ['action', 'state']),
    incidentsOpen: gauge('incidents_open', 'Incidents not resolved'),
  };
}
