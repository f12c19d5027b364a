import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { AgentServiceService, SessionRequest } from '@sitewarden/agent-proto/agent';
import fc from 'fast-check';
import { openClient } from '../../agent/identity/channel.ts';
import { makeCsr } from '../../agent/identity/csr.ts';
import { startChild } from '../bench/lib/child.ts';
import { makeAgents } from '../bench/lib/site-agents.ts';
import type { StormAnswer, StormQuestion } from '../flow/children/storm-agents.ts';
import type { AgentIdentity } from '../helpers/agent-client.ts';
import { startAppliance, type TestAppliance } from '../helpers/appliance.ts';
import { type HostileMessage, hostileMessages } from './lib/hostile-messages.ts';
import { hostileHttp, hostileHttp2, type Target, throwAt } from './lib/hostile-wire.ts';
import { check, newTally, type Tally } from './lib/tally.ts';
import type { ProofResult } from './promises.ts';

const SIZES = {
  quick: { messages: 600, wire: 60, attackers: 12 },
  full: { messages: 20_000, wire: 1_000, attackers: 40 },
};
/** Calls on their way at once. */
const AT_ONCE = 8;
/** Connections of noise at once. */
const WIRE_AT_ONCE = 24;
const BATCH = 200;
const HANG_MS = 1000;
const GIVE_UP_MS = 10_000;
const ACK_P99_MS = 2000;
/** A connection of noise stays that long, if the box lets it. */
const STAYS_MS = 300;
const SLOW_SOCKETS = 100;
const NO_LIMIT = 1_000_000;
const CHILDREN = { agents: '../../flow/children/storm-agents.ts', unguarded: '../../prove/lib/unguarded-server.ts' };

const HELLO = SessionRequest.encode({
  message: {
    $case: 'hello',
    value: {
      host: { hostname: 'attacker', osFamily: 'linux', osVersion: '', agentVersion: '' },
      lastSeq: 0,
      bootId: 'b',
    },
  },
}).finish();

/**
 * Hostile input kills nothing: messages made by rule, damaged and at random, HTTP/2 and HTTP garbage, floods and slow
 * connections against a real box, by strangers and by agents with a good certificate, while one honest agent reports and
 * somebody looks at the page.
 */
export async function run({ full, seed }: { full: boolean; seed: number }): Promise<ProofResult> {
  const size = full ? SIZES.full : SIZES.quick;
  const base = mkdtempSync(join(tmpdir(), 'sitewarden-t29-'));
  const dataDir = join(base, 'data');
  const stops: (() => Promise<unknown>)[] = [];
  try {
    const [honest, ...attackers] = await makeAgents(dataDir, 1 + size.attackers);
    const box = await startAppliance({ dataDir, reportsPerS: NO_LIMIT, logLevel: 'fatal' });
    stops.push(() => box.stop());
    const tally = newTally();
    let isDead = false;
    void box.exited.then(() => {
      isDead = true;
    });
    const life = await watchLife(box, honest as AgentIdentity);
    stops.push(life.end);
    const worst = await attack(box, attackers, { ...size, seed, tally });
    const { ackP99Ms, acks, pageMaxMs, ends } = await life.end();
    check(tally, !isDead, `the box died: ${box.output().slice(-300)}`);
    check(tally, acks > 0 && ackP99Ms <= ACK_P99_MS, `the honest agent waited ${ackP99Ms} ms (p99 of ${acks})`);
    check(tally, Object.keys(ends).length === 0, `the honest agent lost its session: ${JSON.stringify(ends)}`);
    check(tally, pageMaxMs <= HANG_MS, `the page took ${pageMaxMs} ms`);
    const control = await unguarded(seed);
    return {
      cases: tally.cases,
      failures: tally.faults.length,
      control: { expectedToFail: true, ...control },
      detail:
        tally.faults.slice(0, 5).join('; ') ||
        `acknowledgement p99 ${Math.round(ackP99Ms)} ms of ${acks}, page ${Math.round(pageMaxMs)} ms at most, slowest answer ${Math.round(worst)} ms`,
    };
  } finally {
    for (const stop of stops.reverse()) await stop();
    rmSync(base, { recursive: true, force: true });
  }
}

/** One honest agent and one looker, until the end. Times are less what this process itself was late. */
async function watchLife(box: TestAppliance, identity: AgentIdentity) {
  const { child } = await startChild<StormQuestion, StormAnswer>(CHILDREN.agents);
  await child.ask({ ask: 'begin', address: box.intakeAddress, agents: [identity], manner: 'agent' });
  const reportOnce = () => child.ask({ ask: 'report', count: 1, deadlineMs: GIVE_UP_MS });
  await reportOnce();
  let isOver = false;
  const waits: number[] = [];
  const ends: Record<string, number> = {};
  let pageMaxMs = 0;
  const reporting = (async () => {
    while (!isOver) {
      const answer = await reportOnce();
      waits.push(answer.tookMs);
      Object.assign(ends, answer.ends);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const looking = (async () => {
    while (!isOver) {
      const own = monitorEventLoopDelay({ resolution: 5 });
      own.enable();
      const fromMs = performance.now();
      const answer = await fetch(`${box.localUrl}/health`, { signal: AbortSignal.timeout(GIVE_UP_MS) }).catch(
        () => undefined,
      );
      await answer?.text();
      own.disable();
      const tookMs = answer?.ok === true ? performance.now() - fromMs - own.max / 1e6 : GIVE_UP_MS;
      pageMaxMs = Math.max(pageMaxMs, tookMs);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  return {
    async end() {
      isOver = true;
      await Promise.all([reporting, looking]);
      await child.stop();
      const sorted = waits.toSorted((a, b) => a - b);
      return { ackP99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Infinity, acks: sorted.length, pageMaxMs, ends };
    },
  };
}

interface AttackOptions {
  readonly messages: number;
  readonly wire: number;
  readonly seed: number;
  readonly tally: Tally;
}

/** Answers how long the slowest answer took, in milliseconds. */
async function attack(
  box: TestAppliance,
  attackers: readonly AgentIdentity[],
  options: AttackOptions,
): Promise<number> {
  const { messages, wire, seed, tally } = options;
  const intake = targetOf(box.intakeAddress);
  const page = targetOf(new URL(box.localUrl).host);
  const slow = startSlow(page, intake);
  const clients = attackers.map((own) =>
    openClient(box.intakeAddress, { trustedCaPems: [own.siteCaPem], client: own }),
  );
  const stranger = openClient(box.intakeAddress, { trustedCaPems: [(attackers[0] as AgentIdentity).siteCaPem] });
  const { csr } = await makeCsr();
  let worstMs = 0;
  try {
    for (let done = 0; done < messages; done += BATCH) {
      const cases = fc.sample(hostileMessages(csr), { numRuns: Math.min(BATCH, messages - done), seed: seed + done });
      const own = monitorEventLoopDelay({ resolution: 5 });
      own.enable();
      const answers: { rpc: string; tookMs: number; code: status }[] = [];
      await inTurns(cases, AT_ONCE, async (one, index) => {
        const client = one.rpc === 'enroll' ? stranger : (clients[(done + index) % clients.length] as Client);
        const { tookMs, code } = await tell(client, one);
        answers.push({ rpc: one.rpc, tookMs, code });
        check(tally, code !== status.UNKNOWN && code !== status.INTERNAL, `${one.rpc} failed inside: ${describe(one)}`);
      });
      own.disable();
      // What this process itself was late is not the box's.
      for (const { rpc, tookMs, code } of answers) {
        const boxMs = Math.max(0, tookMs - own.max / 1e6);
        worstMs = Math.max(worstMs, boxMs);
        check(tally, code !== status.DEADLINE_EXCEEDED && boxMs <= HANG_MS, `${rpc} hung for ${Math.round(boxMs)} ms`);
      }
    }
    const kinds: readonly (readonly [Target, fc.Arbitrary<Uint8Array>])[] = [
      [{ ...intake, tls: {} }, hostileHttp2],
      [{ ...intake, tls: { client: attackers[0] as AgentIdentity } }, hostileHttp2],
      [intake, fc.oneof(hostileHttp2, hostileHttp)],
      [page, hostileHttp],
    ];
    for (const [target, bytes] of kinds) {
      const cases = fc.sample(bytes, { numRuns: wire, seed });
      await inTurns(cases, WIRE_AT_ONCE, (one) => throwAt(target, one, STAYS_MS));
      tally.cases += cases.length;
    }
  } finally {
    for (const client of [...clients, stranger]) client.close();
    slow.end();
  }
  return worstMs;
}

const describe = ({ bytes }: HostileMessage): string => Buffer.from(bytes).toString('base64').slice(0, 80);

function targetOf(address: string): Target {
  const [host = '', port = ''] = address.split(':');
  return { host, port: Number(port) };
}

/** One body as one call; resolves with the status, or at the deadline. */
function tell(client: Client, { rpc, bytes }: HostileMessage): Promise<{ tookMs: number; code: status }> {
  const { path } = AgentServiceService[rpc];
  const same = (value: Buffer) => value;
  const fromMs = performance.now();
  const deadline = { deadline: Date.now() + GIVE_UP_MS };
  return new Promise((resolve) => {
    const over = (code: status) => resolve({ tookMs: performance.now() - fromMs, code });
    if (rpc !== 'session') {
      client.makeUnaryRequest(path, same, same, Buffer.from(bytes), deadline, (error: ServiceError | null) =>
        over(error?.code ?? status.OK),
      );
      return;
    }
    const call = client.makeBidiStreamRequest(path, same, same, deadline);
    call.on('data', () => {});
    call.on('error', ({ code }: ServiceError) => over(code));
    call.on('end', () => over(status.OK));
    call.write(Buffer.from(HELLO));
    call.write(Buffer.from(bytes));
    call.end();
  });
}

async function inTurns<T>(
  items: readonly T[],
  atOnce: number,
  act: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      await act(items[index] as T, index);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** Half of the page's connections and many of the agents' port, each saying a byte now and then. */
function startSlow(page: Target, intake: Target) {
  let isOver = false;
  const drip = async (target: Target, head: string) => {
    while (!isOver) await throwAt(target, Buffer.from(head), 2000);
  };
  for (let index = 0; index < SLOW_SOCKETS; index += 1) {
    void drip(page, 'POST /api/local/claim HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\nX-Slow: ');
    void drip(intake, '\u0016\u0003\u0001\u0001');
  }
  return {
    end: () => {
      isOver = true;
    },
  };
}

/** The same messages against a server that believes what it reads. */
async function unguarded(seed: number): Promise<{ failed: boolean; detail: string }> {
  const { child, ready } = await startChild<object, object, { address: string }>(CHILDREN.unguarded);
  const client = new Client(ready.address, credentials.createInsecure());
  const { csr } = await makeCsr();
  let told = 0;
  try {
    for (const one of fc.sample(hostileMessages(csr), { numRuns: BATCH, seed })) {
      told += 1;
      const { code, tookMs } = await tell(client, one);
      if (code === status.UNAVAILABLE || tookMs > HANG_MS) {
        return { failed: true, detail: `a server without guards was gone or hung after ${told} messages` };
      }
    }
    return { failed: false, detail: `a server without guards lived through ${told} messages` };
  } finally {
    client.close();
    await child.stop();
  }
}
