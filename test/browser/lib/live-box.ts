import type { KeyObject } from 'node:crypto';
import {
  type ActionRunRow,
  type AgentRow,
  BOX_PATHS,
  type CheckinRequest,
  type CheckRow,
  type DeviceRow,
  type IncidentRow,
  type OrderPayload,
  type OrdersResponse,
  PAYLOAD_TYPES,
  type ReceiptPayload,
  type RmmRow,
} from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import type { Answer, TestBox } from '../../helpers/box.ts';
import { checkinBody } from '../../helpers/sim-box.ts';
import { envelopeOf, outboxBody, SimLog } from '../../helpers/sim-log.ts';

type Row = AgentRow | CheckRow | RmmRow | DeviceRow | IncidentRow | ActionRunRow | Buffer;
type Lane = 'evidence' | 'receipts' | 'incidents' | 'telemetry';

/** A claimed box that really talks to the relay: signed requests, lanes in order, a log that is cosigned. */
export class LiveBox {
  readonly log: SimLog;
  readonly #box: TestBox;
  readonly #applianceId: string;
  readonly #next: Record<Lane, number> = { evidence: 1, receipts: 1, incidents: 1, telemetry: 1 };
  #token: string | null = null;
  #counter = 0;
  #cosigned = 0;

  constructor(box: TestBox, { applianceId, relayHost }: { applianceId: string; relayHost: string }) {
    this.#box = box;
    this.#applianceId = applianceId;
    this.log = new SimLog(`${relayHost}/a/${applianceId}/1`, box.evkPrivate as KeyObject);
  }

  async checkin(over: Partial<CheckinRequest> = {}): Promise<void> {
    this.#counter += 1;
    const body = checkinBody({ counter: this.#counter, previousToken: this.#token, ...over });
    const answer = await this.#box.send<{ token: string }>(BOX_PATHS.checkin, { body });
    this.#token = must(answer, 'checkin').token;
  }

  /** Another box with the same identity spends the token this one holds. */
  async cloneCheckin(): Promise<void> {
    const spent = this.#token;
    await this.checkin();
    this.#token = spent;
    await this.checkin({ bootId: '11111111-d9cb-469f-a165-70867728950e' }).catch(() => {});
  }

  /** Sends one row behind some that will not come. */
  async skip(lane: Lane, { rows, refused }: { rows: number; refused: number }, row: Row): Promise<void> {
    const fromSeq = this.#next[lane];
    const body = outboxBody({ lane, firstSeq: fromSeq + rows, rows: [row], absent: { fromSeq, refused } });
    must(await this.#box.send(BOX_PATHS.outbox, { raw: body, contentType: 'application/x-ndjson' }), `outbox ${lane}`);
    this.#next[lane] += rows + 1;
  }

  async send(lane: Lane, ...rows: Row[]): Promise<void> {
    const body = outboxBody({ lane, firstSeq: this.#next[lane], rows });
    const answer = await this.#box.send(BOX_PATHS.outbox, { raw: body, contentType: 'application/x-ndjson' });
    must(answer, `outbox ${lane}`);
    this.#next[lane] += rows.length;
  }

  /** Sends what the log holds beyond the last call, without a checkpoint. */
  async sendEvidence(): Promise<void> {
    const from = this.#next.evidence - 1;
    await this.send('evidence', ...this.log.rows.slice(from));
  }

  async cosign(): Promise<void> {
    const raw = this.log.addCheckpoint(this.#cosigned);
    must(await this.#box.send(BOX_PATHS.checkpoint, { raw, contentType: 'text/plain' }), 'checkpoint');
    this.#cosigned = this.log.size;
  }

  async fetchOrders(): Promise<OrderPayload[]> {
    const { orders } = must(await this.#box.send<OrdersResponse>(BOX_PATHS.orders), 'orders');
    return orders.map((text) => {
      const { payload } = JSON.parse(text) as { payload: string };
      return JSON.parse(Buffer.from(payload, 'base64').toString()) as OrderPayload;
    });
  }

  receipt(
    order: OrderPayload,
    state: ReceiptPayload['state'],
    detail = '',
    after?: ReceiptPayload['after'],
  ): Promise<void> {
    return this.answer(order, { state, detail, ...(after === undefined ? {} : { after }) });
  }

  async answer(
    order: OrderPayload,
    said: Pick<ReceiptPayload, 'state'> & Partial<Pick<ReceiptPayload, 'code' | 'detail' | 'before' | 'after'>>,
  ): Promise<void> {
    const payload: ReceiptPayload = {
      orderId: order.orderId,
      applianceId: this.#applianceId,
      epoch: 1,
      orderSeq: order.seq,
      code: null,
      detail: '',
      atMs: Date.now(),
      ...said,
    };
    await this.send('receipts', envelopeOf(this.#box.dikPrivate, PAYLOAD_TYPES.receipt, payload));
  }
}

function must<T>(answer: Answer<T>, what: string): T {
  if (answer.status >= 300) throw new Error(`${what} answered ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

export function agentRow(over: Partial<AgentRow> = {}): AgentRow {
  return {
    type: 'agent',
    id: newId('agt'),
    hostname: 'reception-1',
    osFamily: 'windows',
    osVersion: 'Windows 11 Pro',
    agentVersion: '0.1.0',
    tier: 1,
    state: 'active',
    connected: true,
    enrolledAtMs: Date.now() - 86_400_000,
    lastHeartbeatAtMs: Date.now() - 20_000,
    telemetry: { cpu_count: 8 },
    ...over,
  };
}

export function checkRow(agentId: string, over: Partial<CheckRow> = {}): CheckRow {
  const nowMs = Date.now();
  return {
    type: 'check',
    agentId,
    check: 'firewall',
    subject: '',
    status: 'pass',
    severity: 'info',
    controls: ['HIPAA:164.312(e)(1)'],
    expected: 'the firewall is on',
    actual: 'on',
    reason: 'The firewall is on.',
    facts: { technology: 'test', active: true },
    collectedAtMs: nowMs,
    receivedAtMs: nowMs,
    sinceMs: nowMs - 60_000,
    ...over,
  };
}

export function incidentRow(over: Partial<IncidentRow> = {}): IncidentRow {
  const nowMs = Date.now();
  return {
    type: 'incident',
    id: newId('inc'),
    agentId: null,
    host: 'reception-1',
    check: 'firewall',
    subject: '',
    severity: 'high',
    title: 'Firewall is off',
    reason: 'The firewall is off for one profile.',
    state: 'open',
    ruleId: null,
    openedAtMs: nowMs,
    changedAtMs: nowMs,
    resolvedAtMs: null,
    nextStep: 'Turn the firewall on.',
    evidenceSeq: null,
    ...over,
  };
}

export function runRow(incidentId: string, over: Partial<ActionRunRow> = {}): ActionRunRow {
  const nowMs = Date.now();
  return {
    type: 'action_run',
    id: newId('run'),
    incidentId,
    action: 'restart_service',
    params: { service: 'cups' },
    state: 'verified',
    code: null,
    outcome: 'The service runs again.',
    ruleId: 'service-restart',
    ruleVersion: 1,
    startedAtMs: nowMs - 2000,
    finishedAtMs: nowMs,
    before: { state: 'stopped' },
    after: { state: 'running' },
    evidenceSeq: null,
    ...over,
  };
}

export function deviceRow(over: Partial<DeviceRow> = {}): DeviceRow {
  return {
    type: 'device',
    id: newId('dev'),
    mac: '3c:52:82:01:aa:1f',
    addresses: ['192.168.10.20'],
    name: 'printer-lobby',
    services: ['_ipp._tcp'],
    network: '192.168.10.0/24',
    probes: ['arp'],
    firstSeenMs: Date.now() - 86_400_000,
    lastSeenMs: Date.now() - 30_000,
    ...over,
  };
}
