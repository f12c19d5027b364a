// The client of `intake`: the same streams, messages and window against the appliance and against an echo.
import { type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import {
  AgentServiceClient,
  AgentServiceService,
  decodeFacts,
  encodeFacts,
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

/** In so many reports of a stream one result has another fact. */
const CHANGE_EVERY = 10;

/**
 * As a workstation reports: what it says stays, but each report has its own number and time, and now and then a fact is
 * another one. All but number and time is encoded once: what encoding costs is not to be measured.
 */
function framer(): (seq: number) => Buffer {
  const atMs = Date.now();
  const variants = [31, 32].map((rules) => {
    const report = sixResults(0, atMs);
    report.results[2]!.facts = encodeFacts({ ...decodeFacts(report.results[2]!.facts), rule_count: rules });
    return Buffer.from(Report.encode({ ...report, seq: 0 }).finish());
  });
  const stamp = Buffer.from([0x48, ...varint(atMs)]);
  const stamps = variants.map((rest) => placesOf(stamp, rest));
  return (seq) => {
    const which = Math.floor(seq / CHANGE_EVERY) % 2;
    const rest = variants[which]!;
    const seqBytes = varint(seq);
    const head = Buffer.from([0x12, ...varint(1 + seqBytes.length + rest.length), 0x08, ...seqBytes]);
    const frame = Buffer.concat([head, rest]);
    const now = Buffer.from(varint(Date.now()));
    for (const at of stamps[which]!) now.copy(frame, head.length + at + 1);
    return frame;
  };
}

function placesOf(wanted: Buffer, bytes: Buffer): number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) places.push(at);
  if (places.length !== 6) throw new Error(`the time stands ${places.length} times in a report of six results`);
  return places;
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
