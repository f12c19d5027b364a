import { mkdtempSync, rmSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as http2Connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { status } from '@grpc/grpc-js';
import { AgentServiceService, SessionRequest } from '@sitewarden/agent-proto/agent';
import type { SiteConfig } from '@sitewarden/agent-proto/http';
import t, { type Test } from 'tap';
import { agents, state } from '../../../appliance/store/index.ts';
import { waitFor } from '../../../scripts/lib/wait.ts';
import { startChild } from '../../bench/lib/child.ts';
import { makeAgents } from '../../bench/lib/site-agents.ts';
import type { StormAnswer, StormQuestion } from '../../flow/children/storm-agents.ts';
import type { AgentIdentity } from '../../helpers/agent-client.ts';
import { startAppliance } from '../../helpers/appliance.ts';
import { eventually } from '../../helpers/appliance-context.ts';
import { type IntakeFixture, openTalk, startIntake } from '../helpers/intake-fixture.ts';

const PATIENCE = { silentMs: 700, unreadMs: 700 };
const BEAT_MS = 100;
/** What a stuck call has to be gone in. */
const GONE_MS = 5000;

async function startImpatient(t: Test): Promise<IntakeFixture> {
  const fixture = await startIntake(t, { patience: PATIENCE });
  const config = {
    generation: 1,
    agentTier: 0,
    agentTiers: {},
    checks: [],
    requiredServices: [],
    checkIntervalMs: 60_000,
    heartbeatIntervalMs: BEAT_MS,
  } as unknown as SiteConfig;
  state.set(fixture.ctx.db, 'site_config', { value: { config, envelope: '' }, atMs: 1 });
  return fixture;
}

/** HTTP/2 by hand, with an agent's certificate. */
function connectRaw(
  t: Test,
  fixture: IntakeFixture,
  own: AgentIdentity,
  settings: { initialWindowSize?: number } = {},
) {
  const [host, port] = fixture.address.split(':') as [string, string];
  const session = http2Connect(`https://${fixture.address}`, {
    settings,
    createConnection: () =>
      tlsConnect({
        host,
        port: Number(port),
        ALPNProtocols: ['h2'],
        rejectUnauthorized: false,
        key: own.keyPem,
        cert: own.certificatePem,
      }),
  });
  session.on('error', () => {});
  t.teardown(() => session.destroy());
  return session;
}

interface RawCall {
  readonly stream: ClientHttp2Stream;
  readonly trailers: Promise<Record<string, unknown>>;
}

function begin(session: ClientHttp2Session, path: string): RawCall {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => {});
  const trailers = new Promise<Record<string, unknown>>((resolve) => {
    stream.once('trailers', resolve);
    // Refused before anything else was said.
    stream.once('response', (headers) => {
      if (headers['grpc-status'] !== undefined) resolve(headers);
    });
  });
  return { stream, trailers };
}

function frame(message: SessionRequest['message']): Buffer {
  const body = SessionRequest.encode({ message }).finish();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

const hello = frame({
  $case: 'hello',
  value: {
    host: { hostname: 'pc-1', osFamily: 'linux', osVersion: '', agentVersion: '' },
    lastSeq: 0,
    bootId: 'b',
  },
});
const beat = frame({ $case: 'heartbeat', value: { sentAtMs: 1, uptimeS: 1, queueDepth: 0, telemetry: {} } });

/** A message of 1 MiB that is announced and never comes. */
const announced = Buffer.from([0, 0, 0x10, 0, 0]);

const closed = (session: ClientHttp2Session) =>
  eventually('its connection is cut', () => session.closed || session.destroyed || undefined, GONE_MS);
const stuckCount = async ({ ctx }: IntakeFixture) =>
  (await ctx.metrics.intakeRefusals.get()).values.find(({ labels }) => labels.code === 'CALL_STUCK')?.value ?? 0;
const STUCK = { 'grpc-status': String(status.UNAVAILABLE), 'error-code': 'CALL_STUCK' };

/** Nobody else notices: this agent's session is there before and after. */
async function withAnother(t: Test, fixture: IntakeFixture, act: () => Promise<void>): Promise<void> {
  const other = await openTalk(fixture, await fixture.enroll('pc-2'), 'pc-2');
  const beating = setInterval(
    () => other.say({ $case: 'heartbeat', value: { sentAtMs: 1, uptimeS: 1, queueDepth: 0, telemetry: {} } }),
    BEAT_MS,
  );
  t.teardown(() => clearInterval(beating));
  other.report(1);
  await other.acked(1);
  await act();
  other.report(2);
  await other.acked(2);
}

t.test('a session that stops in the middle of a message is told so and cut', async (t) => {
  const fixture = await startImpatient(t);
  const own = await fixture.enroll();
  await withAnother(t, fixture, async () => {
    const session = connectRaw(t, fixture, own);
    const { stream, trailers } = begin(session, AgentServiceService.session.path);
    stream.resume();
    stream.write(Buffer.concat([hello, announced, Buffer.alloc(1000)]));
    t.match(await trailers, STUCK);
    await closed(session);
    t.equal(await stuckCount(fixture), 1);
    t.equal(agents.byId(fixture.ctx.db, own.agentId)?.connected, false);
  });
});

t.test('a session that sends a message byte by byte does not live by it', async (t) => {
  const fixture = await startImpatient(t);
  const own = await fixture.enroll();
  await withAnother(t, fixture, async () => {
    const session = connectRaw(t, fixture, own);
    const { stream, trailers } = begin(session, AgentServiceService.session.path);
    stream.resume();
    stream.write(Buffer.concat([hello, announced]));
    const trickle = setInterval(() => {
      if (!stream.destroyed) stream.write(Buffer.alloc(1));
    }, 20);
    t.teardown(() => clearInterval(trickle));
    t.match(await trailers, STUCK);
    await closed(session);
  });
});

t.test('a single report that does not become whole is refused and its connection cut', async (t) => {
  const fixture = await startImpatient(t);
  const own = await fixture.enroll();
  await withAnother(t, fixture, async () => {
    const session = connectRaw(t, fixture, own);
    const calls = [0, 1, 2].map(() => begin(session, AgentServiceService.pushReport.path));
    for (const { stream } of calls) stream.resume().write(Buffer.concat([announced, Buffer.alloc(1000)]));
    for (const { trailers } of calls) t.match(await trailers, STUCK);
    await closed(session);
  });
});

t.test('a session whose answers nobody reads is cut', async (t) => {
  const fixture = await startImpatient(t);
  const own = await fixture.enroll();
  await withAnother(t, fixture, async () => {
    // No byte of an answer may be sent, whatever is read from the socket.
    const session = connectRaw(t, fixture, own, { initialWindowSize: 0 });
    const { stream } = begin(session, AgentServiceService.session.path);
    stream.write(hello);
    const beating = setInterval(() => {
      if (!stream.destroyed) stream.write(beat);
    }, 20);
    t.teardown(() => clearInterval(beating));
    await closed(session);
    t.equal(await stuckCount(fixture), 1);
  });
});

t.test('control: a session that beats and reads is not cut', async (t) => {
  const fixture = await startImpatient(t);
  const session = connectRaw(t, fixture, await fixture.enroll());
  const { stream } = begin(session, AgentServiceService.session.path);
  stream.resume();
  stream.write(hello);
  for (let n = 0; n < 30; n += 1) {
    stream.write(beat);
    await new Promise((resolve) => setTimeout(resolve, BEAT_MS));
  }
  t.notOk(session.closed || stream.closed);
  t.equal(await stuckCount(fixture), 0);
});

t.test('workstations that stand still without a word are found out, and nobody waits for them', async (t) => {
  const base = mkdtempSync(join(tmpdir(), 'sitewarden-stuck-'));
  const dataDir = join(base, 'data');
  const identities = await makeAgents(dataDir, 6);
  const box = await startAppliance({ dataDir, logLevel: 'error' });
  const stops: (() => Promise<unknown>)[] = [() => box.stop()];
  t.teardown(async () => {
    for (const stop of stops.reverse()) await stop();
    rmSync(base, { recursive: true, force: true });
  });
  const start = async (some: readonly AgentIdentity[]) => {
    const { child } = await startChild<StormQuestion, StormAnswer>(
      join(import.meta.dirname, '..', '..', 'flow', 'children', 'storm-agents.ts'),
    );
    stops.push(() => child.stop());
    await child.ask({ ask: 'begin', address: box.intakeAddress, agents: some, manner: 'agent' });
    const report = async () => {
      const { done, tookMs } = await child.ask({ ask: 'report', count: 1, deadlineMs: 20_000 });
      t.equal(done, some.length);
      return tookMs;
    };
    await report();
    return { pid: child.pid, report };
  };
  const [honest, still] = [await start(identities.slice(0, 1)), await start(identities.slice(1))];
  const connected = async () => {
    const answer = await fetch(`${box.localUrl}/api/local/agents`);
    const listed = ((await answer.json()) as { agents: { connected: boolean }[] }).agents;
    return listed.filter((agent) => agent.connected).length;
  };
  t.equal(await connected(), 6);
  process.kill(still.pid, 'SIGSTOP');
  let worstMs = 0;
  await waitFor(
    'the box to find out that five are gone',
    async () => {
      worstMs = Math.max(worstMs, await honest.report());
      return (await connected()) === 1;
    },
    60_000,
    250,
  );
  t.ok(worstMs < 2000, `the sixth waited ${worstMs} ms for an acknowledgement at most`);
  process.kill(still.pid, 'SIGCONT');
  await still.report();
  t.equal(await connected(), 6, 'and they come back');
});
