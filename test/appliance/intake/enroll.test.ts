import { execFileSync } from 'node:child_process';
import { randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceError } from '@grpc/grpc-js';
import { AgentServiceService } from '@sitewarden/agent-proto/agent';
import t from 'tap';
import { makeCsr } from '../../../agent/identity/csr.ts';
import { agents, certificates, changes } from '../../../appliance/store/index.ts';
import { call, errorCode, startIntake, toPem } from '../helpers/intake-fixture.ts';

const refused = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
    return 'taken';
  } catch (error) {
    return errorCode(error as ServiceError);
  }
};

t.test('a token buys a certificate of the site for the agent, once', async (t) => {
  const fixture = await startIntake(t);
  const { token } = fixture.admin.createEnrollToken();
  const nonce = randomBytes(16);
  const answer = await fixture.enrollWith({ token, nonce });
  const certificate = new X509Certificate(answer.certificate);
  const ca = new X509Certificate(answer.siteCa);
  t.equal(certificate.subject, `CN=${answer.agentId}`);
  t.ok(certificate.verify(ca.publicKey));
  t.strictSame(answer.nonce, nonce);
  t.equal(answer.notAfterMs, certificate.validToDate.getTime());
  t.equal(Math.round((answer.notAfterMs - fixture.ctx.clock.nowMs()) / 86_400_000), 30);
  const { db } = fixture.ctx;
  t.match(agents.byId(db, answer.agentId), { hostname: 'pc-1', state: 'active', tier: 0, connected: false });
  t.ok(certificates.bySerial(db, certificate.serialNumber.toLowerCase()));
  t.match(changes.since(db, 0, { limit: 10 }), [{ kind: 'agent_enrolled', refId: answer.agentId }]);
  t.equal(await refused(fixture.enrollWith({ token })), 'ENROLL_TOKEN_INVALID', 'a second time');
  t.equal(agents.list(db).length, 1);
});

t.test('of many callers with one token exactly one is enrolled', async (t) => {
  const fixture = await startIntake(t);
  const { token } = fixture.admin.createEnrollToken();
  const answers = await Promise.all(Array.from({ length: 8 }, () => refused(fixture.enrollWith({ token }))));
  t.equal(answers.filter((answer) => answer === 'taken').length, 1);
  t.equal(agents.list(fixture.ctx.db).length, 1);
});

t.test('an expired or made-up token buys nothing', async (t) => {
  const fixture = await startIntake(t);
  const { token } = fixture.admin.createEnrollToken();
  fixture.ctx.clock.move(24 * 3_600_000);
  t.equal(await refused(fixture.enrollWith({ token })), 'ENROLL_TOKEN_INVALID');
  t.equal(await refused(fixture.enrollWith({ token: 'swt_made-up' })), 'ENROLL_TOKEN_INVALID');
  t.equal(await refused(fixture.enrollWith({ token: 'x'.repeat(5000) })), 'ENROLL_TOKEN_INVALID');
});

t.test('a bad request costs no token', async (t) => {
  const fixture = await startIntake(t);
  const { token } = fixture.admin.createEnrollToken();
  const { csr } = await makeCsr();
  const broken = Uint8Array.from(csr);
  broken[broken.length - 5] = broken[broken.length - 5]! ^ 1;
  t.equal(await refused(fixture.enrollWith({ token, csr: broken })), 'CSR_INVALID', 'not signed by its key');
  t.equal(await refused(fixture.enrollWith({ token, csr: Buffer.concat([csr, Buffer.from([0])]) })), 'CSR_INVALID');
  t.equal(await refused(fixture.enrollWith({ token, csr: randomBytes(300) })), 'CSR_INVALID');
  t.equal(await refused(fixture.enrollWith({ token, csr: randomBytes(5000) })), 'CSR_INVALID');
  t.equal(await refused(fixture.enrollWith({ token, nonce: randomBytes(8) })), 'NONCE_INVALID');
  await fixture.enrollWith({ token, csr });
});

t.test('keys of other kinds are refused, P-256 and Ed25519 made by OpenSSL are taken', async (t) => {
  const fixture = await startIntake(t);
  const dir = t.testdir();
  const csrOf = (algorithm: string[]): Buffer => {
    const out = join(dir, `${algorithm.join('-').replaceAll(/\W/g, '')}.der`);
    const key = join(dir, 'key.pem');
    execFileSync('openssl', ['genpkey', ...algorithm, '-out', key], { stdio: 'ignore' });
    execFileSync('openssl', ['req', '-new', '-key', key, '-subj', '/CN=any', '-outform', 'DER', '-out', out]);
    return readFileSync(out);
  };
  const tryWith = (algorithm: string[]) =>
    refused(fixture.enrollWith({ token: fixture.admin.createEnrollToken().token, csr: csrOf(algorithm) }));
  t.equal(await tryWith(['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']), 'taken');
  t.equal(await tryWith(['-algorithm', 'ED25519']), 'taken');
  t.equal(await tryWith(['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384']), 'CSR_INVALID');
  t.equal(await tryWith(['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']), 'CSR_INVALID');
});

t.test('an agent renews its certificate for the same identity; the old one stays good', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  const { keyPem, csr } = await makeCsr();
  const nonce = randomBytes(32);
  const renewed = await call<{ certificate: Buffer; nonce: Buffer }>((done) =>
    fixture.client(identity).renewCertificate({ csr, nonce }, done),
  );
  t.strictSame(renewed.nonce, nonce);
  t.equal(new X509Certificate(renewed.certificate).subject, `CN=${identity.agentId}`);
  for (const own of [identity, { keyPem, certificatePem: toPem(renewed.certificate) }]) {
    const again = await makeCsr();
    await call((done) => fixture.client(own).renewCertificate({ csr: again.csr, nonce }, done));
  }
});

t.test(
  'the key that used a token gets its agent again when the answer was lost, another key gets nothing',
  async (t) => {
    const fixture = await startIntake(t);
    const { db } = fixture.ctx;
    const { token } = fixture.admin.createEnrollToken();
    const { csr, keyPem } = await makeCsr();
    const first = await fixture.enrollWith({ token, csr });
    const again = await makeCsr(keyPem);
    const second = await fixture.enrollWith({ token, csr: again.csr });
    t.equal(second.agentId, first.agentId);
    t.not(Buffer.compare(second.certificate, first.certificate), 0, 'a certificate of its own');
    t.equal(agents.list(db).length, 1);
    t.match(changes.since(db, 0, { limit: 10 }), { length: 1 }, 'it was enrolled once');
    t.equal(await refused(fixture.enrollWith({ token })), 'ENROLL_TOKEN_INVALID', 'another key');
    const { values } = await fixture.ctx.metrics.intakeRefusals.get();
    t.match(values, [{ labels: { code: 'ENROLL_TOKEN_INVALID' }, value: 1 }], 'and that is counted');

    fixture.admin.removeAgent(first.agentId);
    t.equal(await refused(fixture.enrollWith({ token, csr })), 'ENROLL_TOKEN_INVALID', 'a removed agent stays away');
  },
);

t.test('the same key at the same time is one agent, and no key outlives its token', async (t) => {
  const fixture = await startIntake(t);
  const { token } = fixture.admin.createEnrollToken();
  const { csr } = await makeCsr();
  const answers = await Promise.all(Array.from({ length: 4 }, () => fixture.enrollWith({ token, csr })));
  t.equal(new Set(answers.map(({ agentId }) => agentId)).size, 1);
  t.equal(agents.list(fixture.ctx.db).length, 1);
  fixture.ctx.clock.move(24 * 3_600_000);
  t.equal(await refused(fixture.enrollWith({ token, csr })), 'ENROLL_TOKEN_INVALID');
});

t.test('an agent that renews without end is told how long to wait, and its certificates do not pile up', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  const client = fixture.client(identity);
  const { csr } = await makeCsr();
  const renew = () => refused(call((done) => client.renewCertificate({ csr, nonce: randomBytes(32) }, done)));
  const answers = await Promise.all(Array.from({ length: 40 }, renew));
  t.ok(answers.filter((answer) => answer === 'taken').length <= 21);
  t.equal(answers.at(-1), 'RATE_LIMITED');
  const { n } = fixture.ctx.db.prepare('SELECT count(*) AS n FROM agent_certificate').get() as { n: number };
  t.ok(n <= 22, `${n} certificates`);
});

t.test('bytes that are no message are refused as such, and are no failure of the box', async (t) => {
  const fixture = await startIntake(t);
  const client = fixture.client(await fixture.enroll());
  const same = (value: Buffer) => value;
  for (const rpc of ['renewCertificate', 'pushReport'] as const) {
    const sent = call((done) =>
      client.makeUnaryRequest(
        AgentServiceService[rpc].path,
        same,
        same,
        Buffer.from('ff'.repeat(40), 'hex'),
        done as never,
      ),
    );
    t.equal(await refused(sent), 'MESSAGE_INVALID', rpc);
  }
  const stranger = call((done) =>
    fixture
      .client()
      .makeUnaryRequest(
        AgentServiceService.enroll.path,
        same,
        same,
        Buffer.from('ff'.repeat(40), 'hex'),
        done as never,
      ),
  );
  t.equal(await refused(stranger), 'MESSAGE_INVALID', 'enroll');
});
