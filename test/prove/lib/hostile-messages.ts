import {
  EnrollRequest,
  encodeFacts,
  OrderState,
  PushReportRequest,
  RenewCertificateRequest,
  SessionRequest,
} from '@sitewarden/agent-proto/agent';
import fc from 'fast-check';
import { sixResults } from '../../helpers/agent-client.ts';

export type Rpc = 'enroll' | 'session' | 'pushReport' | 'renewCertificate';

/** What goes to the box as the body of one message, and by which call. */
export interface HostileMessage {
  readonly rpc: Rpc;
  readonly bytes: Uint8Array;
}

type Message = NonNullable<SessionRequest['message']>;

/** Numbers at and beyond what a field of the wire holds. */
const number = fc.oneof(
  fc.constantFrom(0, -1, 1, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, -(2 ** 53 - 1)),
  fc.integer(),
  fc.maxSafeInteger(),
);
const small = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    '__proto__',
    'constructor',
    'toString',
    '\u0000',
    '../../etc/passwd',
    "'; DROP TABLE report; --",
    '\u202e',
  ),
  fc.integer({ min: 200, max: 5000 }).map((length) => 'x'.repeat(length)),
);
const facts = fc
  .array(fc.tuple(text, fc.oneof(text, fc.maxSafeInteger(), fc.boolean(), fc.array(text, { maxLength: 70 }))), {
    maxLength: 70,
  })
  .map((entries) => encodeFacts(Object.fromEntries(entries)));

const report = fc
  .record({
    seq: number,
    check: text,
    subject: text,
    status: small,
    severity: small,
    reason: text,
    atMs: number,
    facts,
    count: fc.nat(300),
  })
  .map(({ seq, check, count, atMs, ...rest }) => {
    const six = sixResults(seq);
    const strange = { ...six.results[0]!, ...rest, check, collectedAtMs: atMs };
    return { ...six, results: count > 290 ? Array(count).fill(strange) : [strange, ...six.results].slice(0, count) };
  });

const message: fc.Arbitrary<Message> = fc.oneof(
  fc
    .record({ hostname: text, osFamily: text, osVersion: text, agentVersion: text, lastSeq: number, bootId: text })
    .map(({ lastSeq, bootId, ...host }): Message => ({ $case: 'hello', value: { host, lastSeq, bootId } })),
  fc
    .record({ sentAtMs: number, uptimeS: number, queueDepth: number, telemetry: facts })
    .map((value): Message => ({ $case: 'heartbeat', value })),
  fc
    .record({
      orderId: text,
      state: fc.constantFrom(...OrderStates()),
      code: text,
      detail: text,
      before: facts,
      after: facts,
      atMs: number,
    })
    .map((value): Message => ({ $case: 'orderReceipt', value })),
  report.map((value): Message => ({ $case: 'report', value })),
);

function OrderStates(): OrderState[] {
  return Object.values(OrderState).filter((state) => typeof state === 'number');
}

const whole: fc.Arbitrary<HostileMessage> = fc.oneof(
  {
    weight: 4,
    arbitrary: message.map((said) => ({
      rpc: 'session' as const,
      bytes: SessionRequest.encode({ message: said }).finish(),
    })),
  },
  {
    weight: 2,
    arbitrary: report.map((said) => ({
      rpc: 'pushReport' as const,
      bytes: PushReportRequest.encode({ report: said }).finish(),
    })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({
        token: text,
        csr: fc.uint8Array({ maxLength: 300 }),
        nonce: fc.uint8Array({ maxLength: 80 }),
        hostname: text,
      })
      .map(({ token, csr, nonce, hostname }) => ({
        rpc: 'enroll' as const,
        bytes: EnrollRequest.encode({
          token,
          csr: Buffer.from(csr),
          nonce: Buffer.from(nonce),
          host: { hostname, osFamily: 'linux', osVersion: '', agentVersion: '' },
        }).finish(),
      })),
  },
);

/** A whole message with some of it changed, cut off, said twice or said to be longer. */
const damaged = fc
  .record({
    base: whole,
    changes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 }),
    keep: fc.double({ min: 0, max: 1, noNaN: true }),
    twice: fc.boolean(),
  })
  .map(({ base: { rpc, bytes }, changes, keep, twice }): HostileMessage => {
    const copy = Buffer.from(keep < 0.3 ? bytes.subarray(0, Math.floor(bytes.length * keep * 3)) : bytes);
    for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value;
    return { rpc, bytes: twice ? Buffer.concat([copy, copy]) : copy };
  });

const noise = fc
  .record({
    rpc: fc.constantFrom<Rpc>('enroll', 'session', 'pushReport', 'renewCertificate'),
    bytes: fc.uint8Array({ maxLength: 600 }),
  })
  .map((said): HostileMessage => said);

/** Requests for certificates, by a real one with bytes of it changed. */
const requests = (csr: Uint8Array) =>
  fc
    .array(fc.tuple(fc.nat(csr.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 5 })
    .map((changes): HostileMessage => {
      const copy = Buffer.from(csr);
      for (const [at, value] of changes) copy[at] = value;
      return {
        rpc: 'renewCertificate',
        bytes: RenewCertificateRequest.encode({ csr: copy, nonce: Buffer.alloc(16) }).finish(),
      };
    });

export const hostileMessages = (csr: Uint8Array): fc.Arbitrary<HostileMessage> =>
  fc.oneof(
    { weight: 4, arbitrary: whole },
    { weight: 4, arbitrary: damaged },
    { weight: 2, arbitrary: noise },
    { weight: 1, arbitrary: requests(csr) },
  );
