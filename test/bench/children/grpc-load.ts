// The client of `intake`: the same streams, messages and window against the appliance and against an echo.
import { type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import {
  AgentServiceClient,
  AgentServiceService,
  Report,
  SessionRequest,
  SessionResponse,
} from '@sitewarden/agent-proto/agent';
import { openClient } from '../../../agent/identity/channel.ts';
import { type AgentIdentity, sixResults } from '../../helpers/agent-client.ts';
import { serveParent } from '../lib/child.ts';

export interface LoadOptions {
  address: string;
  /** `intake` counts what is acknowledged, the others what comes back. */
  kind: 'intake' | 'echo' | 'echo-plaintext';
  agents: readonly AgentIdentity[];
  /** Reports of one stream that are sent and not acknowledged. */
  window: number;
  warmMs: number;
  measureMs: number;
}

export interface LoadResult {
  reportsPerS: number;
  messageBytes: number;
  /** Share of one core this client used. */
  clientCpu: number;
}

interface Stream {
  readonly call: ClientDuplexStream<Buffer, Buffer>;
  acked: number;
  sent: number;
}

/** `seq` is the only thing that differs between two reports of a stream: the rest is encoded once. */
function framer(): (seq: number) => Buffer {
  const rest = Report.encode({ ...sixResults(0), seq: 0 }).finish();
  return (seq) => {
    const seqBytes = varint(seq);
    return Buffer.concat([Buffer.from([0x12, ...varint(1 + seqBytes.length + rest.length), 0x08, ...seqBytes]), rest]);
  };
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...bytes, left];
    bytes.push((left % 128) | 0x80);
  }
}

serveParent<LoadOptions, LoadResult>({}, async (options) => {
  const frame = framer();
  let isPumping = false;
  let total = 0;

  const pump = (stream: Stream): void => {
    while (isPumping && stream.sent - stream.acked < options.window) stream.call.write(frame(++stream.sent));
  };
  const opened = await Promise.all(options.agents.map((agent) => open(agent)));
  const settled = Promise.all(opened.map(({ done }) => done));

  isPumping = true;
  for (const { stream } of opened) pump(stream);
  await delay(options.warmMs);
  const [from, fromMs, cpu] = [total, performance.now(), process.cpuUsage()];
  await delay(options.measureMs);
  const seconds = (performance.now() - fromMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const reportsPerS = (total - from) / seconds;

  isPumping = false;
  for (const { stream } of opened) if (stream.acked === stream.sent) stream.call.end();
  await settled;
  for (const { client } of opened) client.close();
  return { reportsPerS, messageBytes: frame(1000).length, clientCpu: (user + system) / 1e6 / seconds };

  async function open(agent: AgentIdentity) {
    const client =
      options.kind === 'echo-plaintext'
        ? new AgentServiceClient(options.address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
        : openClient(options.address, { trustedCaPems: [agent.siteCaPem], client: agent });
    const same = (bytes: Buffer) => bytes;
    const call = client.makeBidiStreamRequest(AgentServiceService.session.path, same, same);
    const stream: Stream = { call, acked: 0, sent: 0 };
    let isWelcome = false;
    const progress = (through: number): void => {
      total += through - stream.acked;
      stream.acked = through;
      pump(stream);
      if (!isPumping && stream.acked === stream.sent) call.end();
    };
    const done = new Promise<void>((resolve, reject) => call.on('end', resolve).on('error', reject));
    done.catch(() => {});
    await new Promise<void>((resolve, reject) => {
      done.catch(reject);
      call.on('data', (bytes: Buffer) => {
        if (!isWelcome) {
          isWelcome = true;
          if (options.kind === 'intake') {
            const { message } = SessionResponse.decode(bytes);
            if (message?.$case !== 'welcome') return reject(new Error(`the session began with ${message?.$case}`));
            stream.acked = message.value.ackedThrough;
            stream.sent = stream.acked;
          }
          resolve();
        } else if (options.kind === 'intake') {
          const { message } = SessionResponse.decode(bytes);
          if (message?.$case === 'ack') progress(message.value.throughSeq);
        } else {
          progress(stream.acked + 1);
        }
      });
      const host = { hostname: 'desk', osFamily: 'linux', osVersion: 'test', agentVersion: '0.0.0' };
      call.write(
        Buffer.from(
          SessionRequest.encode({ message: { $case: 'hello', value: { host, lastSeq: 0, bootId: 'bench' } } }).finish(),
        ),
      );
    });
    return { client, stream, done };
  }
});

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
