import { AgentServiceService, decodeFacts, type Order, type SessionResponse } from '@sitewarden/agent-proto/agent';
import t from 'tap';
import { ACTIONS } from '../../agent/heal/actions/index.ts';
import { decideOrder } from '../../agent/heal/decide.ts';
import { parseCertificate } from '../../agent/identity/certificates.ts';
import { toSiteConfig } from '../../agent/site/index.ts';
import golden from '../../agent-proto/fixtures/golden/agent-messages.json' with { type: 'json' };
import { checkCsr } from '../../appliance/identity/csr.ts';
import { assertNonce } from '../../appliance/intake/enroll.ts';
import { AGENT_SERVICE } from '../../appliance/intake/service.ts';
import {
  validateHeartbeat,
  validateHost,
  validateReceipt,
  validateReport,
} from '../../appliance/intake/validate-message.ts';
import { plain } from '../../scripts/fixtures/agent-messages.ts';

const wireOf = (name: string): Buffer => Buffer.from(messageOf(name).wire, 'base64');

function messageOf(name: string) {
  const found = golden.messages.find((message) => message.name === name);
  if (found === undefined) throw new Error(`no golden message ${name}`);
  return found;
}

type Reader = (bytes: Buffer) => unknown;
const applianceReads = (rpc: keyof typeof AgentServiceService): Reader =>
  (AGENT_SERVICE as Record<string, { requestDeserialize: Reader }>)[rpc]!.requestDeserialize;
const agentReads = (rpc: keyof typeof AgentServiceService): Reader => AgentServiceService[rpc].responseDeserialize;

/** What the appliance reads in a session: reports come apart from the other messages, with their bytes. */
function readInSession(name: string) {
  const read = applianceReads('session')(wireOf(name)) as {
    kind: string;
    message: { report?: never; message?: { $case: string; value: never } };
  };
  return read.kind === 'report' ? read.message.report : read.message.message?.value;
}

t.test('every kind of message of AGENT/1 is among the golden ones', async (t) => {
  const kinds = golden.messages.map(({ message, value }) => {
    const oneof = (value as { message?: { $case: string } }).message?.$case;
    return `${message.split('.').at(-1)}${oneof === undefined ? '' : `.${oneof}`}`;
  });
  t.strictSame(kinds.sort(), [
    'EnrollRequest',
    'EnrollResponse',
    'PushReportRequest',
    'PushReportResponse',
    'RenewCertificateRequest',
    'RenewCertificateResponse',
    'SessionRequest.heartbeat',
    'SessionRequest.hello',
    'SessionRequest.orderReceipt',
    'SessionRequest.report',
    'SessionResponse.ack',
    'SessionResponse.config',
    'SessionResponse.heartbeatAck',
    'SessionResponse.order',
    'SessionResponse.welcome',
  ]);
});

t.test('the appliance reads the golden enrolment and finds nothing wrong with it', async (t) => {
  const { message: request } = applianceReads('enroll')(wireOf('enroll request')) as {
    message: { csr: Buffer; nonce: Buffer; host: never };
  };
  t.strictSame(plain(request), messageOf('enroll request').value);
  t.match(await checkCsr(request.csr), { keyType: 'p256' });
  assertNonce(request.nonce);
  validateHost(request.host);
});

t.test('the appliance reads every golden message of a session and finds nothing wrong with it', async (t) => {
  const checks: Record<string, (value: never) => void> = {
    'session hello': ({ host }: { host: never }) => validateHost(host),
    'session report': validateReport,
    'session heartbeat': validateHeartbeat,
    'session order receipt': validateReceipt,
  };
  for (const [name, validate] of Object.entries(checks)) {
    const value = readInSession(name);
    validate(value as never);
    const told = messageOf(name).value as unknown as { message: { value: unknown } };
    t.strictSame(plain(value), told.message.value, name);
  }
});

t.test('the appliance reads the golden pushed report with the very bytes it came in', async (t) => {
  const { message } = applianceReads('pushReport')(wireOf('push report request')) as {
    message: { report: never; body: Uint8Array };
  };
  validateReport(message.report);
  t.strictSame({ report: plain(message.report) }, messageOf('push report request').value);
  t.ok(wireOf('push report request').subarray(-message.body.length).equals(message.body));
});

t.test('the appliance reads the golden renewal', async (t) => {
  const { message: request } = applianceReads('renewCertificate')(wireOf('renew certificate request')) as {
    message: { csr: Buffer; nonce: Buffer };
  };
  t.strictSame(plain(request), messageOf('renew certificate request').value);
  await checkCsr(request.csr);
  assertNonce(request.nonce);
});

t.test('the agent reads the golden answers to single calls, certificates included', async (t) => {
  const calls = {
    'enroll response': 'enroll',
    'renew certificate response': 'renewCertificate',
    'push report response': 'pushReport',
  } as const;
  for (const [name, rpc] of Object.entries(calls)) {
    const answer = agentReads(rpc)(wireOf(name)) as { certificate?: Buffer; siteCa?: Buffer };
    t.strictSame(plain(answer), messageOf(name).value, name);
    if (answer.certificate === undefined || answer.siteCa === undefined) continue;
    const ca = parseCertificate(answer.siteCa);
    t.ok(ca && parseCertificate(answer.certificate)?.verify(ca.publicKey), `${name}: issued by the site CA`);
  }
});

t.test('the agent reads every golden message of a session and takes it as it is meant', async (t) => {
  const read = (name: string) => {
    const response = agentReads('session')(wireOf(name)) as SessionResponse;
    t.strictSame(plain(response), messageOf(name).value, name);
    return response.message!.value as never;
  };
  const meant = {
    generation: 12,
    tier: 1,
    checkIntervalMs: 300_000,
    heartbeatIntervalMs: 60_000,
    checks: ['firewall', 'services'],
    requiredServices: ['cron'],
  };
  t.strictSame(toSiteConfig(read('session config')), meant);
  t.strictSame(toSiteConfig((read('session welcome') as { config: never }).config), meant);
  read('session ack');
  read('session heartbeat ack');
  const order: Order = read('session order');
  const request = { ...order, params: decodeFacts(order.params) };
  const site = toSiteConfig(read('session config'));
  t.match(decideOrder(request, { nowMs: order.expiresAtMs - 1, site, actions: ACTIONS }), {
    action: { name: 'restart_service' },
  });
});
