import type { ActionRunRow, AgentRow, CheckRow, DeviceRow, IncidentRow } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';

const T0 = 1_800_000_000_000;

export const incidentRow = (over: Partial<IncidentRow> = {}): IncidentRow => ({
  type: 'incident',
  id: newId('inc'),
  agentId: null,
  host: 'front-1',
  check: 'services',
  subject: 'cron',
  severity: 'high',
  title: 'Required service cron is not running',
  reason: 'cron is inactive',
  state: 'open',
  ruleId: 'services-restart',
  openedAtMs: T0,
  changedAtMs: T0,
  resolvedAtMs: null,
  nextStep: 'A restart is tried.',
  evidenceSeq: null,
  ...over,
});

export const actionRunRow = (over: Partial<ActionRunRow> = {}): ActionRunRow => ({
  type: 'action_run',
  id: newId('run'),
  incidentId: newId('inc'),
  action: 'restart_service',
  params: { service: 'cron' },
  state: 'started',
  code: null,
  outcome: '',
  ruleId: 'services-restart',
  ruleVersion: 1,
  startedAtMs: T0,
  finishedAtMs: null,
  before: { state: 'inactive' },
  after: {},
  evidenceSeq: null,
  ...over,
});

export const agentRow = (over: Partial<AgentRow> = {}): AgentRow => ({
  type: 'agent',
  id: newId('agt'),
  hostname: 'front-1',
  osFamily: 'linux',
  osVersion: 'Debian 12',
  agentVersion: '0.1.0',
  tier: 0,
  state: 'active',
  connected: true,
  enrolledAtMs: T0,
  lastHeartbeatAtMs: T0,
  telemetry: { cpu_count: 4 },
  ...over,
});

export const checkRow = (over: Partial<CheckRow> = {}): CheckRow => ({
  type: 'check',
  agentId: null,
  check: 'services',
  subject: 'cron',
  status: 'pass',
  severity: 'high',
  controls: ['HIPAA:164.308(a)(1)(ii)(D)'],
  expected: 'running',
  actual: 'running',
  reason: '',
  facts: { service: 'cron', state: 'running' },
  collectedAtMs: T0,
  receivedAtMs: T0,
  sinceMs: T0,
  ...over,
});

export const deviceRow = (over: Partial<DeviceRow> = {}): DeviceRow => ({
  type: 'device',
  id: newId('dev'),
  mac: '02:00:00:00:00:01',
  addresses: ['10.0.0.7'],
  name: 'printer',
  services: ['ipp'],
  network: 'lan',
  probes: ['arp'],
  firstSeenMs: T0,
  lastSeenMs: T0,
  ...over,
});
