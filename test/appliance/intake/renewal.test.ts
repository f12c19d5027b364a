import { randomBytes } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import { createLogger } from '@sitewarden/kit/log';
import t from 'tap';
import { makeCsr } from '../../../agent/identity/csr.ts';
import { loadIdentity } from '../../../appliance/identity/index.ts';
import { listen } from '../../../appliance/intake/listener.ts';
import { reports } from '../../../appliance/store/index.ts';
import { call, errorCode, openTalk, startIntake, toPem } from '../helpers/intake-fixture.ts';

const REPORTS = 60;

t.test('a certificate is renewed while its session goes on, and no report is lost or stored twice', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  const session = await openTalk(fixture, identity);
  let isEnded = false;
  void session.ended.then(() => {
    isEnded = true;
  });
  let own = identity;
  for (let seq = 1; seq <= REPORTS; seq += 1) {
    session.report(seq);
    if (seq % 20 !== 0) continue;
    const { keyPem, csr } = await makeCsr();
    const client = fixture.client(own);
    const renewed = await call<{ certificate: Buffer }>((done) =>
      client.renewCertificate({ csr, nonce: randomBytes(32) }, done),
    );
    // An agent that leaves connections behind loses its oldest, which is that of the session.
    client.close();
    own = { ...identity, keyPem, certificatePem: toPem(renewed.certificate) };
  }
  await session.acked(REPORTS);
  t.notOk(isEnded, 'the session of the first certificate is still there');

  // On the way when the session of the new certificate takes its place.
  for (let seq = REPORTS + 1; seq <= REPORTS + 20; seq += 1) session.report(seq);
  const next = await openTalk(fixture, own);
  t.equal(errorCode((await session.ended)!), 'SESSION_REPLACED');
  next.close();
  const last = await openTalk(fixture, own);
  const { ackedThrough } = (await last.received[0]!.message!.value) as { ackedThrough: number };
  t.ok(ackedThrough >= REPORTS);
  for (let seq = ackedThrough + 1; seq <= REPORTS + 21; seq += 1) last.report(seq);
  await last.acked(REPORTS + 21);
  t.strictSame(
    reports.since(fixture.ctx.db, 0, 1000).map(({ seq }) => seq),
    Array.from({ length: REPORTS + 21 }, (_, index) => index + 1),
  );
});

t.test('the box changes its own certificate without ending a connection', async (t) => {
  const identity = await loadIdentity({ dataDir: t.testdir(), publicHosts: [] });
  const caPem = identity.siteCa.certificatePem;
  const nowMs = Date.now();
  const first = await identity.serverTls(nowMs);
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    tls: first.tls,
    caPem,
    log: createLogger({ name: 'test', level: 'silent' }),
    classify: () => ({ kind: 'anonymous' }),
    onConnection: (socket) => socket.pipe(socket),
  });
  t.teardown(() => listener.close());
  const open = () =>
    new Promise<TLSSocket>((resolve, reject) => {
      const socket = connect({
        host: '127.0.0.1',
        port: listener.port,
        rejectUnauthorized: false,
        ALPNProtocols: ['h2'],
      });
      t.teardown(() => socket.destroy());
      socket.once('error', reject);
      socket.once('secureConnect', () => resolve(socket));
    });
  const echo = (socket: TLSSocket, text: string) =>
    new Promise<string>((resolve, reject) => {
      socket.once('data', (bytes) => resolve(String(bytes)));
      socket.once('close', () => reject(new Error('it was ended')));
      socket.write(text);
    });
  const before = await open();
  t.equal(await echo(before, 'one'), 'one');
  const { tls, isNew } = await identity.serverTls(nowMs + 400 * 86_400_000);
  t.ok(isNew, 'it is due');
  listener.useTls(tls);
  const after = await open();
  t.not(after.getPeerX509Certificate()?.serialNumber, before.getPeerX509Certificate()?.serialNumber);
  t.equal(await echo(before, 'two'), 'two');
});
