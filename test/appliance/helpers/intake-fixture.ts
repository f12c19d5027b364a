import { randomBytes } from 'node:crypto';
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import type { EnrollResponse, Report, SessionResponse } from '@sitewarden/agent-proto/agent';
import type { Test } from 'tap';
import { openClient } from '../../../agent/identity/channel.ts';
import { makeCsr } from '../../../agent/identity/csr.ts';
import { createAgentAdmin } from '../../../appliance/agents/index.ts';
import { loadIdentity } from '../../../appliance/identity/index.ts';
import { createInstallers } from '../../../appliance/installers/index.ts';
import { createIntake } from '../../../appliance/intake/index.ts';
import type { Patience } from '../../../appliance/intake/session.ts';
import { type AgentIdentity, sixResults } from '../../helpers/agent-client.ts';
import { applianceContext, type TestContext } from '../../helpers/appliance-context.ts';

export interface IntakeFixture {
  readonly ctx: TestContext;
  readonly address: string;
  readonly siteCaPem: string;
  readonly admin: ReturnType<typeof createAgentAdmin>;
  enroll(hostname?: string): Promise<AgentIdentity>;
  enrollWith(request: { token: string; csr?: Uint8Array; nonce?: Uint8Array }): Promise<EnrollResponse>;
  client(identity?: Pick<AgentIdentity, 'keyPem' | 'certificatePem'>): ReturnType<typeof openClient>;
}

export const toPem = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;

const HOST = { hostname: 'pc-1', osFamily: 'linux', osVersion: '12', agentVersion: '0.1.0' };

/** The real port on a real database; wall time is the test's. */
export async function startIntake(
  t: Test,
  options: { yaml?: string; installers?: string; room?: { assert(): void; onFull(): void }; patience?: Patience } = {},
): Promise<IntakeFixture> {
  const ctx = applianceContext(
    t,
    `intake: { host: 127.0.0.1, port: 0 ${options.yaml ?? ', reportsPerS: 2000, burst: 4000'}}\n${options.installers === undefined ? '' : `installers: { dir: ${options.installers} }\n`}`,
  );
  const identity = await loadIdentity({ dataDir: ctx.config.dataDir, publicHosts: [] });
  const intake = createIntake({
    ctx,
    identity,
    installers: createInstallers(ctx.config.installers),
    room: options.room ?? { assert() {}, onFull() {} },
    ...(options.patience === undefined ? {} : { patience: options.patience }),
  });
  await intake.start();
  t.teardown(() => intake.stop());
  const address = `127.0.0.1:${intake.port}`;
  const admin = createAgentAdmin(ctx, identity.siteCa);
  const siteCaPem = identity.siteCa.certificatePem;
  const client = (own?: Pick<AgentIdentity, 'keyPem' | 'certificatePem'>) => {
    const opened = openClient(address, { trustedCaPems: [siteCaPem], ...(own === undefined ? {} : { client: own }) });
    t.teardown(() => opened.close());
    return opened;
  };
  const enrollWith: IntakeFixture['enrollWith'] = async ({ token, csr, nonce = randomBytes(32) }) => {
    const made = csr ?? (await makeCsr()).csr;
    return await call<EnrollResponse>((done) =>
      client().enroll({ token, csr: Buffer.from(made), nonce: Buffer.from(nonce), host: HOST }, done),
    );
  };
  return {
    ctx,
    address,
    siteCaPem,
    admin,
    client,
    enrollWith,
    async enroll(hostname = 'pc-1') {
      const { keyPem, csr } = await makeCsr();
      const { token } = admin.createEnrollToken();
      const answer = await call<EnrollResponse>((done) =>
        client().enroll({ token, csr, nonce: randomBytes(32), host: { ...HOST, hostname } }, done),
      );
      return { agentId: answer.agentId, keyPem, certificatePem: toPem(answer.certificate), siteCaPem };
    },
  };
}

/** A unary call as a promise; rejects with the ServiceError. */
export function call<A>(begin: (done: (error: ServiceError | null, answer: A) => void) => void): Promise<A> {
  return new Promise((resolve, reject) => begin((error, answer) => (error ? reject(error) : resolve(answer))));
}

export const errorCode = (error: ServiceError): string => String(error.metadata.get('error-code')[0]);

type Message = NonNullable<SessionResponse['message']>;
type MessageKind = Message['$case'];
type MessageOf<K extends MessageKind> = Extract<Message, { $case: K }>['value'];

export interface Talk {
  readonly received: SessionResponse[];
  /** Resolves with the status the stream ended with. */
  readonly ended: Promise<ServiceError | undefined>;
  say(
    message: NonNullable<Parameters<ReturnType<ReturnType<typeof openClient>['session']>['write']>[0]['message']>,
  ): void;
  report(seq: number, change?: (report: Report) => void): void;
  /** Resolves once a message of this kind has come, beyond those taken before. */
  next<K extends MessageKind>(kind: K): Promise<MessageOf<K>>;
  /** Resolves once everything up to here is acknowledged. */
  acked(seq: number): Promise<void>;
  close(): void;
}

/** A session that has not said anything yet. */
export function talk(fixture: IntakeFixture, identity?: AgentIdentity): Talk {
  const stream = fixture.client(identity).session(new Metadata());
  const received: SessionResponse[] = [];
  const taken = new Map<string, number>();
  const listeners = new Set<() => void>();
  let isOver = false;
  const wake = () => {
    for (const listener of listeners) listener();
  };
  stream.on('data', (message: SessionResponse) => {
    received.push(message);
    wake();
  });
  const ended = new Promise<ServiceError | undefined>((resolve) => {
    stream.on('error', (error: ServiceError) => {
      isOver = true;
      resolve(error);
      wake();
    });
    stream.on('end', () => {
      isOver = true;
      resolve(undefined);
      wake();
    });
  });
  const until = <V>(find: () => V | undefined, what: string) =>
    new Promise<V>((resolve, reject) => {
      const look = () => {
        const found = find();
        if (found !== undefined) leave(() => resolve(found));
        else if (isOver) leave(() => reject(new Error(`the session ended before ${what}`)));
      };
      const timer = setTimeout(() => leave(() => reject(new Error(`${what} did not come`))), 10_000);
      const leave = (then: () => void) => {
        clearTimeout(timer);
        listeners.delete(look);
        then();
      };
      listeners.add(look);
      look();
    });
  return {
    received,
    ended,
    say: (message) => stream.write({ message }),
    report(seq, change) {
      const value = sixResults(seq);
      change?.(value);
      stream.write({ message: { $case: 'report', value } });
    },
    async next<K extends MessageKind>(kind: K) {
      return await until(() => {
        const found = received.filter(({ message }) => message?.$case === kind)[taken.get(kind) ?? 0]?.message;
        if (found === undefined) return undefined;
        taken.set(kind, (taken.get(kind) ?? 0) + 1);
        return found.value as MessageOf<K>;
      }, kind);
    },
    acked: (seq) =>
      until(
        () =>
          received.some(({ message }) => message?.$case === 'ack' && message.value.throughSeq >= seq)
            ? true
            : undefined,
        `ack of ${seq}`,
      ).then(() => {}),
    close: () => stream.cancel(),
  };
}

/** A session past Hello and Welcome. */
export async function openTalk(fixture: IntakeFixture, identity: AgentIdentity, hostname = 'pc-1'): Promise<Talk> {
  const opened = talk(fixture, identity);
  opened.say({ $case: 'hello', value: { host: { ...HOST, hostname }, lastSeq: 0, bootId: 'b' } });
  await opened.next('welcome');
  return opened;
}
