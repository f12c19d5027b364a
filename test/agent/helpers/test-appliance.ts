import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import {
  type AgentConfig,
  type AgentServiceServer,
  AgentServiceService,
  type EnrollRequest,
  type EnrollResponse,
  type FetchInstallerResponse,
  type Heartbeat,
  type Hello,
  type Order,
  type OrderReceipt,
  type RenewCertificateRequest,
  type RenewCertificateResponse,
  type Report,
  type SessionRequest,
  type SessionResponse,
  Tier,
} from '@sitewarden/agent-proto/agent';
import { createTestCa, type TestCa } from './test-ca.ts';

type Call = ServerDuplexStream<SessionRequest, SessionResponse>;

export interface Refusal {
  readonly code: status;
  readonly metadata?: Record<string, string>;
}

/** One agent as the appliance knows it. */
export interface KnownAgent {
  readonly id: string;
  removed: boolean;
  /** In order, contiguous from 1. */
  readonly reports: Report[];
  readonly hellos: Hello[];
  readonly heartbeats: Heartbeat[];
  readonly receipts: OrderReceipt[];
  duplicates: number;
  session: Call | undefined;
}

export interface ApplianceRules {
  /** Acks are kept back while true; reports are stored. */
  holdAcks: boolean;
  /** Heartbeats stay without an answer while true. */
  silent: boolean;
  /** Each new session is ended at once with this. */
  refuseSessions: Refusal | undefined;
  /** A report for which this answers true is refused with INVALID_ARGUMENT. */
  isPoison: (report: Report) => boolean;
  /** The same for heartbeats and receipts. */
  isBadBeat: (beat: Heartbeat) => boolean;
  isBadReceipt: (receipt: OrderReceipt) => boolean;
  /** Certificates live this long. */
  certificateLifetimeMs: number;
  /** Certificates are dated back by this, as an appliance without a trusted clock does. */
  datedBackMs: number;
  /** Changes the answer to Enroll. */
  tamper: ((answer: { nonce: Buffer; siteCa: Buffer; certificate: Buffer }) => unknown) | undefined;
  /** What the next sessions are told at Welcome instead of the truth. */
  ackedThrough: number | undefined;
  config: AgentConfig;
  /** The appliance's clock minus the agent's. */
  clockOffsetMs: number;
  /** What FetchInstaller answers. */
  installers: (name: string, offset: number) => FetchInstallerResponse | Refusal;
  /** Sent right after each Welcome. */
  waitingOrders: Order[];
}

export interface TestAppliance {
  readonly ca: TestCa;
  readonly rules: ApplianceRules;
  readonly address: string;
  readonly agents: Map<string, KnownAgent>;
  /** Every agent there is; the test has one mostly. */
  readonly agent: KnownAgent;
  readonly connections: number;
  readonly renewals: number;
  sessionsOpened: number;
  /** Writes a fresh single-use token file, as the appliance's page offers it. */
  tokenFile(fields?: { caFingerprint?: string | undefined; token?: string }): string;
  pushConfig(config: Partial<AgentConfig>): void;
  order(order: Partial<Order> & Pick<Order, 'action'>): Order;
  releaseAcks(): void;
  remove(agentId: string): void;
  /** Cuts every connection without a word. */
  cut(): void;
  stop(): Promise<void>;
  /** Listens again on the same port. */
  start(): Promise<void>;
}

const refusal = (field: string): Refusal => ({
  code: status.INVALID_ARGUMENT,
  metadata: { 'error-code': 'MESSAGE_INVALID', 'error-field': field },
});

const SERVER_NAME = 'appliance.sitewarden.internal';

export const BASE_CONFIG: AgentConfig = {
  generation: 1,
  tier: Tier.TIER_MONITOR_ONLY,
  checkIntervalMs: 3_600_000,
  heartbeatIntervalMs: 60_000,
  checks: ['services'],
  requiredServices: [],
};

/** AGENT/1 from the appliance's side, on a real TLS port, its books in memory. */
export async function startTestAppliance(config: Partial<AgentConfig> = {}): Promise<TestAppliance> {
  const ca = await createTestCa();
  const tls = await ca.issueServer(SERVER_NAME);
  const agents = new Map<string, KnownAgent>();
  const serials = new Map<string, string>();
  const tokens = new Set<string>();
  const tokenFolders: string[] = [];
  const sockets = new Set<TLSSocket>();
  const sessions = new Set<Call>();
  let renewals = 0;
  let port = 0;
  let orderCount = 0;
  let grpc: Server;
  let listener: ReturnType<typeof createServer>;
  const rules: ApplianceRules = {
    holdAcks: false,
    silent: false,
    refuseSessions: undefined,
    isPoison: () => false,
    isBadBeat: () => false,
    isBadReceipt: () => false,
    certificateLifetimeMs: 30 * 86_400_000,
    datedBackMs: 0,
    tamper: undefined,
    ackedThrough: undefined,
    clockOffsetMs: 0,
    installers: () => ({ code: status.NOT_FOUND }),
    waitingOrders: [],
    config: { ...BASE_CONFIG, ...config },
  };

  function fail({ code, metadata: pairs = {} }: Refusal): Partial<ServiceError> & { code: status } {
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(pairs)) metadata.set(key, value);
    return { code, details: status[code]!, metadata };
  }

  function agentOf(peer: string): KnownAgent | Refusal {
    const socket = [...sockets].find((one) => `${one.remoteAddress}:${one.remotePort}` === peer);
    const serial = socket?.getPeerCertificate().serialNumber?.toLowerCase().replace(/^0+/, '');
    if (!socket?.authorized || serial === undefined) return { code: status.UNAUTHENTICATED };
    const agent = agents.get(serials.get(serial) ?? '');
    if (agent === undefined) return { code: status.UNAUTHENTICATED };
    return agent.removed ? { code: status.PERMISSION_DENIED } : agent;
  }

  function note(serial: string, agentId: string): void {
    serials.set(serial.toLowerCase().replace(/^0+/, ''), agentId);
  }

  function serve(call: Call, agent: KnownAgent): void {
    let isOpen = false;
    const end = (refusal: Refusal) => {
      isOpen = false;
      call.emit('error', fail(refusal));
      call.resume();
    };
    const send = (message: NonNullable<SessionResponse['message']>) => call.write({ message });
    const ack = () => send({ $case: 'ack', value: { throughSeq: agent.reports.length } });
    sessions.add(call);
    appliance.sessionsOpened++;
    call.on('cancelled', () => sessions.delete(call));
    call.on('error', () => sessions.delete(call));
    call.on('end', () => {
      sessions.delete(call);
      call.end();
    });
    call.on('data', ({ message }: SessionRequest) => {
      if (message === undefined) return;
      if (message.$case === 'hello') {
        agent.hellos.push(message.value);
        if (rules.refuseSessions !== undefined) return end(rules.refuseSessions);
        isOpen = true;
        agent.session = call;
        const ackedThrough = rules.ackedThrough ?? agent.reports.length;
        const nowMs = Date.now() + rules.clockOffsetMs;
        send({ $case: 'welcome', value: { agentId: agent.id, ackedThrough, config: rules.config, nowMs } });
        for (const order of rules.waitingOrders) send({ $case: 'order', value: order });
        return;
      }
      if (!isOpen) return;
      if (message.$case === 'report') {
        const report = message.value;
        if (report.seq <= agent.reports.length) agent.duplicates++;
        else if (report.seq !== agent.reports.length + 1) return end({ code: status.FAILED_PRECONDITION });
        else if (rules.isPoison(report)) return end(refusal('results.facts'));
        else agent.reports.push(report);
        if (!rules.holdAcks) ack();
      } else if (message.$case === 'heartbeat') {
        if (rules.isBadBeat(message.value)) return end(refusal('heartbeat.telemetry'));
        agent.heartbeats.push(message.value);
        if (!rules.silent) send({ $case: 'heartbeatAck', value: { receivedAtMs: Date.now() + rules.clockOffsetMs } });
      } else {
        if (rules.isBadReceipt(message.value)) return end(refusal('order_receipt.before'));
        agent.receipts.push(message.value);
      }
    });
  }

  async function listen(): Promise<void> {
    grpc = new Server();
    const service: AgentServiceServer = {
      enroll: (call, callback) => void enroll(call.request, callback),
      renewCertificate: (call, callback) => void renew(call.request, call.getPeer(), callback),
      fetchInstaller: (call, callback) => {
        const answer = rules.installers(call.request.name, call.request.offset);
        if ('code' in answer) callback(fail(answer));
        else callback(null, answer);
      },
      pushReport: (_, callback) => callback(fail({ code: status.UNIMPLEMENTED })),
      session(call) {
        const agent = agentOf(call.getPeer());
        if (!('code' in agent)) return serve(call, agent);
        call.emit('error', fail(agent));
        call.resume();
      },
    };
    grpc.addService(AgentServiceService, service);
    const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
    listener = createServer({
      key: tls.keyPem,
      cert: tls.certificatePem + ca.pem,
      ca: ca.pem,
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
    });
    listener.on('secureConnection', (socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => sockets.delete(socket));
      injector.injectConnection(socket);
    });
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(port, '127.0.0.1', resolve);
    });
    port = (listener.address() as { port: number }).port;
  }

  async function enroll(request: EnrollRequest, callback: sendUnaryData<EnrollResponse>): Promise<void> {
    if (!tokens.delete(request.token)) return callback(fail({ code: status.UNAUTHENTICATED }));
    const id = `agt_${agents.size + 1}`;
    const issued = await ca.issueClient(request.csr, id, rules);
    note(issued.serial, id);
    agents.set(id, {
      id,
      removed: false,
      reports: [],
      hellos: [],
      heartbeats: [],
      receipts: [],
      duplicates: 0,
      session: undefined,
    });
    const answer = {
      agentId: id,
      certificate: issued.der,
      siteCa: ca.der,
      nonce: request.nonce,
      notAfterMs: issued.notAfterMs,
    };
    rules.tamper?.(answer);
    callback(null, answer);
  }

  async function renew(
    request: RenewCertificateRequest,
    peer: string,
    callback: sendUnaryData<RenewCertificateResponse>,
  ): Promise<void> {
    const agent = agentOf(peer);
    if ('code' in agent) return callback(fail(agent));
    const issued = await ca.issueClient(request.csr, agent.id, rules);
    note(issued.serial, agent.id);
    renewals++;
    const { der: certificate, notAfterMs } = issued;
    callback(null, { certificate, siteCa: ca.der, nonce: request.nonce, notAfterMs });
  }

  const appliance: TestAppliance = {
    ca,
    rules,
    agents,
    sessionsOpened: 0,
    get address() {
      return `127.0.0.1:${port}`;
    },
    get agent() {
      const last = [...agents.values()].at(-1);
      if (last === undefined) throw new Error('no agent is enrolled');
      return last;
    },
    get connections() {
      return sockets.size;
    },
    get renewals() {
      return renewals;
    },
    tokenFile(fields = {}) {
      const token = randomBytes(20).toString('base64url');
      tokens.add(token);
      const folder = mkdtempSync(join(tmpdir(), 'sitewarden-token-'));
      tokenFolders.push(folder);
      const path = join(folder, 'token.json');
      const content = { applianceAddress: appliance.address, token, caFingerprint: ca.fingerprint, ...fields };
      writeFileSync(path, JSON.stringify(content), { mode: 0o600 });
      return path;
    },
    pushConfig(changed) {
      rules.config = { ...rules.config, ...changed, generation: rules.config.generation + 1 };
      for (const { session } of agents.values()) {
        session?.write({ message: { $case: 'config', value: rules.config } });
      }
    },
    order(fields) {
      const order: Order = {
        orderId: `ord_${++orderCount}`,
        params: {},
        expiresAtMs: Date.now() + 60_000,
        requestedBy: 'test',
        ...fields,
      };
      appliance.agent.session?.write({ message: { $case: 'order', value: order } });
      return order;
    },
    releaseAcks() {
      rules.holdAcks = false;
      for (const { session, reports } of agents.values()) {
        session?.write({ message: { $case: 'ack', value: { throughSeq: reports.length } } });
      }
    },
    remove(agentId) {
      const agent = agents.get(agentId)!;
      agent.removed = true;
      agent.session?.emit('error', fail({ code: status.PERMISSION_DENIED }));
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async stop() {
      for (const folder of tokenFolders) rmSync(folder, { recursive: true, force: true });
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => listener.close(() => resolve()));
      grpc.forceShutdown();
    },
    start: listen,
  };
  await listen();
  return appliance;
}
