import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type ClientHttp2Session, connect as http2Connect } from 'node:http2';
import { connect as tcpConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import { type ServiceError, status } from '@grpc/grpc-js';
import { AgentServiceService } from '@sitewarden/agent-proto/agent';
import type { Test } from 'tap';
import t from 'tap';
import { MAX_CONNECTIONS_PER_AGENT } from '../../../appliance/intake/listener.ts';
import { MAX_ENROLL_BYTES } from '../../../appliance/intake/servers.ts';
import { type AgentIdentity, enroll, openSession, sixResults } from '../../helpers/agent-client.ts';
import { startAppliance } from '../../helpers/appliance.ts';
import { eventually } from '../../helpers/appliance-context.ts';
import { call, errorCode, openTalk, startIntake } from '../helpers/intake-fixture.ts';

const MIB = 1024 * 1024;
/** What a flood may add to the box. Before there was a server for strangers it added 1.5 GB. */
const MAX_GROWTH_MIB = 160;
const CHUNK = Buffer.alloc(64 * 1024, 1);

async function startBox(t: Test) {
  const dataDir = mkdtempSync(join(tmpdir(), 'sitewarden-flood-'));
  const box = await startAppliance({ dataDir, logLevel: 'error' });
  t.teardown(async () => {
    await box.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const [host, port] = box.intakeAddress.split(':') as [string, string];
  const rssMib = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${box.pid}/status`, 'utf8'))![1]) / 1024;
  return { box, host, port: Number(port), rssMib };
}

/** Begins `streams` Enroll calls that declare `bytes` each and hold the last byte back; resolves when no more gets out. */
function floodOnce(
  t: Test,
  at: { host: string; port: number },
  { streams, bytes }: { streams: number; bytes: number },
) {
  return new Promise<ClientHttp2Session>((resolve) => {
    const session = http2Connect(`https://${at.host}:${at.port}`, {
      createConnection: () => tlsConnect({ ...at, ALPNProtocols: ['h2'], rejectUnauthorized: false }),
    });
    session.on('error', () => {});
    session.once('close', () => resolve(session));
    t.teardown(() => session.destroy());
    let open = streams;
    const done = () => {
      open -= 1;
      if (open === 0) resolve(session);
    };
    for (let i = 0; i < streams; i += 1) {
      const stream = session.request({
        ':method': 'POST',
        ':path': AgentServiceService.enroll.path,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.on('error', () => {});
      stream.once('close', done);
      const head = Buffer.alloc(5);
      head.writeUInt32BE(bytes, 1);
      stream.write(head);
      let left = bytes - 1;
      const more = () => {
        if (stream.destroyed) return;
        if (left === 0) {
          done();
          return;
        }
        const chunk = CHUNK.subarray(0, Math.min(left, CHUNK.length));
        left -= chunk.length;
        stream.write(chunk, (error) => {
          if (error == null) more();
        });
      };
      more();
    }
  });
}

t.test('strangers with unfinished messages fill neither the memory nor the door', async (t) => {
  const { box, host, port, rssMib } = await startBox(t);
  const before = rssMib();
  let most = before;
  const floods: Promise<unknown>[] = [];
  const watch = setInterval(() => {
    most = Math.max(most, rssMib());
  }, 20);
  t.teardown(() => clearInterval(watch));
  for (const bytes of [4 * MIB - 16, MAX_ENROLL_BYTES - 16]) {
    for (let i = 0; i < 24; i += 1) floods.push(floodOnce(t, { host, port }, { streams: 32, bytes }));
    // Streams beyond the few that may be open wait on the attacker's side until the box cuts the connection.
    await Promise.race([Promise.all(floods), delay(2000)]);
  }
  const identity = await enroll(await box.makeToken());
  const session = await openSession(box.intakeAddress, identity);
  session.send({ $case: 'report', value: sixResults(1) });
  await eventually('its report is acknowledged', () => session.ackedThrough() === 1 || undefined);
  session.close();
  t.comment(`resident: ${Math.round(before)} MiB before, ${Math.round(most)} MiB at most`);
  t.ok(most - before <= MAX_GROWTH_MIB, `it grew by ${Math.round(most - before)} MiB`);
});

t.test('idle connections of one address lock no agent out, not even of the same address', async (t) => {
  const { box, host, port } = await startBox(t);
  const identities: AgentIdentity[] = [];
  for (let i = 0; i < 6; i += 1) identities.push(await enroll(await box.makeToken(), `pc-${i}`));
  let ended = 0;
  for (let i = 0; i < 520; i += 1) {
    const socket = tcpConnect({ host, port });
    t.teardown(() => socket.destroy());
    socket.on('error', () => {});
    socket.once('close', () => {
      ended += 1;
    });
    await new Promise((resolve) => {
      socket.once('connect', resolve);
      socket.once('close', resolve);
    });
  }
  const sessions = await Promise.all(identities.map((identity) => openSession(box.intakeAddress, identity)));
  t.equal(sessions.length, 6);
  await eventually('who never begins a handshake is cut', () => ended === 520 || undefined, 10_000);
  for (const session of sessions) session.close();
});

t.test('a stranger who trickles an Enroll is told so, and a message beyond its size is not read', async (t) => {
  const fixture = await startIntake(t);
  const error = await call<Buffer>((done) => {
    const path = AgentServiceService.enroll.path;
    const same = (value: Buffer) => value;
    // Its message is there, its end is not.
    fixture
      .client()
      .makeClientStreamRequest(path, same, same, done as never)
      .write(Buffer.alloc(16));
  }).then(
    () => t.fail('it was taken') as never,
    (error: ServiceError) => error,
  );
  t.equal(error.code, status.DEADLINE_EXCEEDED);
  t.equal(errorCode(error), 'ENROLL_TOO_SLOW');
  await t.rejects(fixture.enrollWith({ token: 'x'.repeat(MAX_ENROLL_BYTES) }), { code: status.RESOURCE_EXHAUSTED });
});

t.test('one agent has no more connections than it needs: the oldest is cut', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  let ended = 0;
  const open = () =>
    new Promise<void>((resolve) => {
      const [host, port] = fixture.address.split(':') as [string, string];
      const socket = tlsConnect({
        host,
        port: Number(port),
        ALPNProtocols: ['h2'],
        rejectUnauthorized: false,
        key: identity.keyPem,
        cert: identity.certificatePem,
      });
      t.teardown(() => socket.destroy());
      socket.on('error', () => {});
      socket.once('data', () => resolve());
      socket.once('close', () => {
        ended += 1;
      });
    });
  for (let i = 0; i < MAX_CONNECTIONS_PER_AGENT + 4; i += 1) await open();
  await eventually('the oldest are cut', () => ended === 4 || undefined);
  const session = await openTalk(fixture, identity);
  session.report(1);
  await session.acked(1);
});
