import { randomBytes } from 'node:crypto';
import { connect } from 'node:tls';
import { type ServiceError, status } from '@grpc/grpc-js';
import t from 'tap';
import { makeCsr } from '../../../agent/identity/csr.ts';
import { loadIdentity } from '../../../appliance/identity/index.ts';
import { agents, certificates, changes } from '../../../appliance/store/index.ts';
import { type AgentIdentity, sixResults } from '../../helpers/agent-client.ts';
import { eventually } from '../../helpers/appliance-context.ts';
import { call, errorCode, type IntakeFixture, openTalk, startIntake, talk, toPem } from '../helpers/intake-fixture.ts';

type Own = Pick<AgentIdentity, 'keyPem' | 'certificatePem'>;

/** Status and code of each call that needs a certificate. */
async function tryAll(fixture: IntakeFixture, own?: Own): Promise<string[]> {
  const client = fixture.client(own);
  const told = (error: unknown) => `${status[(error as ServiceError).code]} ${errorCode(error as ServiceError)}`;
  const { csr } = await makeCsr();
  const unary = [
    call((done) => client.pushReport({ report: sixResults(1) }, done)),
    call((done) => client.renewCertificate({ csr, nonce: randomBytes(32) }, done)),
  ];
  const results = await Promise.all(unary.map((promise) => promise.then(() => 'TAKEN', told)));
  const session = talk(fixture, own as AgentIdentity);
  session.say({ $case: 'report', value: sixResults(1) });
  const error = await session.ended;
  return [...results, error === undefined ? 'TAKEN' : told(error)];
}

t.test('without a certificate only Enroll is answered', async (t) => {
  const fixture = await startIntake(t);
  t.strictSame(await tryAll(fixture), Array(3).fill('UNAUTHENTICATED CLIENT_CERTIFICATE_NEEDED'));
  await fixture.enrollWith({ token: fixture.admin.createEnrollToken().token });
});

t.test('a certificate of another site is refused', async (t) => {
  const fixture = await startIntake(t);
  const { agentId } = await fixture.enroll();
  const foreign = await loadIdentity({ dataDir: t.testdir(), publicHosts: [] });
  const { keyPem, csr } = await makeCsr();
  const { der } = await foreign.siteCa.issueForAgent({ csr, agentId, nowMs: fixture.ctx.clock.nowMs() });
  const own = { keyPem, certificatePem: toPem(der) };
  t.strictSame(await tryAll(fixture, own), Array(3).fill('UNAUTHENTICATED CLIENT_CERTIFICATE_INVALID'));
});

t.test('a certificate of this CA that was never filed is refused', async (t) => {
  const fixture = await startIntake(t);
  const { agentId } = await fixture.enroll();
  const identity = await loadIdentity({ dataDir: fixture.ctx.config.dataDir, publicHosts: [] });
  const { keyPem, csr } = await makeCsr();
  const { der } = await identity.siteCa.issueForAgent({ csr, agentId, nowMs: fixture.ctx.clock.nowMs() });
  const own = { keyPem, certificatePem: toPem(der) };
  t.strictSame(await tryAll(fixture, own), Array(3).fill('UNAUTHENTICATED CLIENT_CERTIFICATE_INVALID'));
});

t.test('the server certificate is no client certificate', async (t) => {
  const fixture = await startIntake(t);
  const identity = await loadIdentity({ dataDir: fixture.ctx.config.dataDir, publicHosts: [] });
  const { tls } = await identity.serverTls(fixture.ctx.clock.nowMs());
  const own = { keyPem: tls.keyPem, certificatePem: tls.certificatePem };
  t.strictSame(await tryAll(fixture, own), Array(3).fill('UNAUTHENTICATED CLIENT_CERTIFICATE_INVALID'));
});

t.test('an expired certificate is refused, also on a connection it opened in time', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  const client = fixture.client(identity);
  await call((done) => client.pushReport({ report: sixResults(1) }, done));
  fixture.ctx.clock.move(31 * 86_400_000);
  const error = await call((done) => client.pushReport({ report: sixResults(2) }, done)).catch((e: ServiceError) => e);
  t.equal(errorCode(error as ServiceError), 'CLIENT_CERTIFICATE_INVALID');
  t.strictSame(await tryAll(fixture, identity), Array(3).fill('UNAUTHENTICATED CLIENT_CERTIFICATE_INVALID'));
});

t.test('a removed agent is cut off within a second and told to stop', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  const session = await openTalk(fixture, identity);
  fixture.admin.removeAgent(identity.agentId);
  const error = await session.ended;
  t.equal(error?.code, status.PERMISSION_DENIED);
  t.equal(errorCode(error!), 'AGENT_REMOVED');
  t.strictSame(await tryAll(fixture, identity), Array(3).fill('PERMISSION_DENIED AGENT_REMOVED'));
  const { db } = fixture.ctx;
  t.match(agents.byId(db, identity.agentId), { state: 'removed', connected: false });
  t.equal(changes.since(db, 0, { limit: 50 }).filter(({ kind }) => kind === 'agent_removed').length, 1);
  t.throws(() => fixture.admin.removeAgent(identity.agentId), { code: 'AGENT_UNKNOWN' });
});

t.test('a removed agent that was away until its certificate ran out is told to stop all the same', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  fixture.admin.removeAgent(identity.agentId);
  fixture.ctx.clock.move(400 * 86_400_000);
  t.strictSame(await tryAll(fixture, identity), Array(3).fill('PERMISSION_DENIED AGENT_REMOVED'));
});

t.test('another agent goes on when one is removed', async (t) => {
  const fixture = await startIntake(t);
  const [gone, kept] = [await fixture.enroll('gone'), await fixture.enroll('kept')];
  const session = await openTalk(fixture, kept, 'kept');
  fixture.admin.removeAgent(gone.agentId);
  session.report(1);
  await session.acked(1);
});

t.test('a certificate is matched with the agent it was issued to', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  const other = await fixture.enroll('other');
  const { db } = fixture.ctx;
  // The file says the serial number is another agent's: the name on the certificate no longer fits.
  db.prepare('UPDATE agent_certificate SET agent_id = ? WHERE agent_id = ?').run(other.agentId, identity.agentId);
  t.strictSame(await tryAll(fixture, identity), Array(3).fill('UNAUTHENTICATED CLIENT_CERTIFICATE_INVALID'));
  t.equal(certificates.bySerial(db, 'ff'.repeat(16)), undefined);
});

t.test('TLS below 1.2 and connections without HTTP/2 are refused', async (t) => {
  const fixture = await startIntake(t);
  const [host, port] = fixture.address.split(':') as [string, string];
  const ca = fixture.siteCaPem;
  const open = (options: object) =>
    new Promise<string>((resolve) => {
      const socket = connect({ host, port: Number(port), ca, servername: 'localhost', ...options });
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      socket.once('close', () => resolve('closed'));
      socket.once('data', () => resolve('answered'));
      socket.setTimeout(5000, () => resolve('silent'));
    });
  t.match(
    await open({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0', ALPNProtocols: ['h2'] }),
    /ERR_SSL|EPROTO|ECONNRESET|closed/,
  );
  t.match(await open({ ALPNProtocols: ['http/1.1'] }), /ERR_SSL|ECONNRESET|closed/);
  t.match(await open({}), /closed|ECONNRESET/, 'no protocol named');
  t.equal(await open({ ALPNProtocols: ['h2'] }), 'answered', 'HTTP/2 settings come');
});

t.test('the number of connections goes down again', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  const session = await openTalk(fixture, identity);
  const sessions = async () => (await fixture.ctx.metrics.intakeSessions.get()).values[0]?.value;
  t.equal(await sessions(), 1);
  session.close();
  await eventually('the row says it', () =>
    agents.byId(fixture.ctx.db, identity.agentId)?.connected ? undefined : true,
  );
  t.equal(await sessions(), 0);
});
