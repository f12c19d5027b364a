import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCodedError } from '@sitewarden/kit/errors';
import { createLogger } from '@sitewarden/kit/log';
import t from 'tap';
import { openIdentity, writeRemoval } from '../../../agent/identity/index.ts';
import { type EnrollRequest, enrollAgent } from '../../../agent/run/index.ts';
import { startTestAppliance } from '../helpers/test-appliance.ts';
import { createTestCa } from '../helpers/test-ca.ts';

const log = createLogger({ name: 'test', level: 'silent' });
const newConfig = (dir: string): EnrollRequest['config'] => ({
  dataDir: join(dir, 'data'),
  logLevel: 'silent',
  serviceManager: {},
  queue: { maxRows: 100, maxAgeDays: 1 },
  updates: { allowed: true, connectWithinMs: 300_000 },
  overrides: {},
});
const codeOf = (error: unknown) => (isCodedError(error) ? error.code : String(error));
const refusal = (request: Promise<unknown>) => request.then(() => 'accepted', codeOf);

t.test('enrolment', async (t) => {
  const site = await startTestAppliance();
  t.teardown(() => site.stop());
  const dir = () => mkdtempSync(join(t.testdir(), 'agent-'));

  t.test('makes a P-256 key of its own, keeps it at mode 0600 and deletes the token file', async (t) => {
    const config = newConfig(dir());
    const tokenFile = site.tokenFile();
    const identity = await enrollAgent({ config, tokenFile, log });
    t.equal(identity.agentId, site.agent.id);
    t.equal(existsSync(tokenFile), false);
    const path = join(config.dataDir, 'identity', 'identity.json');
    t.equal(statSync(path).mode & 0o777, 0o600);
    t.equal(statSync(join(config.dataDir, 'identity')).mode & 0o777, 0o700);
    t.strictSame(readdirSync(join(config.dataDir, 'identity')), ['identity.json'], 'no other copy of the key');
    const stored = JSON.parse(readFileSync(path, 'utf8'));
    const key = createPrivateKey(stored.keyPem);
    t.equal(key.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    t.ok(new X509Certificate(stored.certificatePem).checkPrivateKey(key));
  });

  t.test('two thirds into the life of the certificate renewal is due', async (t) => {
    const identity = await enrollAgent({ config: newConfig(dir()), tokenFile: site.tokenFile(), log });
    const leftMs = identity.notAfterMs - identity.renewalDueMs;
    t.ok(Math.abs(leftMs - site.rules.certificateLifetimeMs / 3) < 5000);
  });

  t.test('is refused without a fingerprint, and nothing is sent', async (t) => {
    const tokenFile = site.tokenFile({ caFingerprint: undefined });
    const before = site.agents.size;
    t.equal(await refusal(enrollAgent({ config: newConfig(dir()), tokenFile, log })), 'ENROLL_PIN_MISSING');
    t.equal(site.agents.size, before);
    t.equal(existsSync(tokenFile), true, 'the token is still there for the next try');
  });

  t.test('takes the fingerprint of the configuration before that of the token file', async (t) => {
    const { fingerprint } = await createTestCa();
    const tokenFile = site.tokenFile();
    const config = { ...newConfig(dir()), siteCaFingerprint: fingerprint };
    t.equal(await refusal(enrollAgent({ config, tokenFile, log })), 'ENROLL_PIN_MISMATCH');
    t.equal(existsSync(tokenFile), true);
  });

  t.test('an impostor with a CA of its own learns no token', async (t) => {
    const impostor = await startTestAppliance();
    t.teardown(() => impostor.stop());
    const tokenFile = site.tokenFile();
    const request = { config: newConfig(dir()), tokenFile, appliance: impostor.address, log };
    t.equal(await refusal(enrollAgent(request)), 'ENROLL_PIN_MISMATCH');
    t.equal(impostor.agents.size, 0);
  });

  t.test('a token works once', async (t) => {
    const tokenFile = site.tokenFile();
    const content = readFileSync(tokenFile);
    await enrollAgent({ config: newConfig(dir()), tokenFile, log });
    writeFileSync(tokenFile, content, { mode: 0o600 });
    t.equal(await refusal(enrollAgent({ config: newConfig(dir()), tokenFile, log })), 'ENROLL_REFUSED');
  });

  t.test('an answer that does not fit is not stored', async (t) => {
    const other = await createTestCa();
    const config = newConfig(dir());
    const faults: [string, NonNullable<typeof site.rules.tamper>][] = [
      ['another nonce', (answer) => Object.assign(answer, { nonce: Buffer.alloc(32) })],
      ['another CA', (answer) => Object.assign(answer, { siteCa: other.der })],
      ['no certificate', (answer) => Object.assign(answer, { certificate: Buffer.from('x') })],
      ['the CA as certificate', (answer) => Object.assign(answer, { certificate: site.ca.der })],
    ];
    for (const [title, tamper] of faults) {
      site.rules.tamper = tamper;
      const result = await refusal(enrollAgent({ config, tokenFile: site.tokenFile(), log }));
      t.equal(result, 'ENROLL_ANSWER_INVALID', title);
      t.equal(await refusal(openIdentity(config.dataDir)), 'NOT_ENROLLED', title);
    }
    site.rules.tamper = undefined;
    t.match(await enrollAgent({ config, tokenFile: site.tokenFile(), log }), { agentId: site.agent.id });
  });

  t.test('an identity that is still good is given up only on demand; a removed one needs no demand', async (t) => {
    const config = newConfig(dir());
    const first = await enrollAgent({ config, tokenFile: site.tokenFile(), log });
    const tokenFile = site.tokenFile();
    t.equal(await refusal(enrollAgent({ config, tokenFile, log })), 'ALREADY_ENROLLED');
    const second = await enrollAgent({ config, tokenFile, replace: true, log });
    t.not(second.agentId, first.agentId);
    await writeRemoval(config.dataDir, { agentId: second.agentId, removedAtMs: 1 });
    const third = await enrollAgent({ config, tokenFile: site.tokenFile(), log });
    t.not(third.agentId, second.agentId);
  });

  t.test('a machine that does not answer is named unreachable', async (t) => {
    const request = { config: newConfig(dir()), tokenFile: site.tokenFile(), appliance: '127.0.0.1:1', log };
    t.equal(await refusal(enrollAgent(request)), 'APPLIANCE_UNREACHABLE');
  });

  t.test('an address that is none names its field', async (t) => {
    const request = { config: newConfig(dir()), tokenFile: site.tokenFile(), appliance: 'nowhere', log };
    t.equal(await refusal(enrollAgent(request)), 'APPLIANCE_ADDRESS_MISSING');
  });

  t.test('a damaged identity is named, and nothing of it is repeated', async (t) => {
    const config = newConfig(dir());
    await enrollAgent({ config, tokenFile: site.tokenFile(), log });
    const path = join(config.dataDir, 'identity', 'identity.json');
    const text = readFileSync(path, 'utf8');
    const other = JSON.parse(text);
    await enrollAgent({ config, tokenFile: site.tokenFile(), replace: true, log });
    const mixed = { ...JSON.parse(readFileSync(path, 'utf8')), keyPem: other.keyPem };
    for (const broken of [text.slice(0, 200), '', '{}', JSON.stringify(mixed)]) {
      writeFileSync(path, broken);
      const error = await openIdentity(config.dataDir).catch((reason: Error) => reason);
      t.equal(codeOf(error), 'IDENTITY_DAMAGED');
      t.notMatch(JSON.stringify([error, String(error)]), /PRIVATE|MIG/);
    }
  });

  t.test('an identity is renewed with a new key, in one step', async (t) => {
    const config = newConfig(dir());
    const identity = await enrollAgent({ config, tokenFile: site.tokenFile(), log });
    const path = join(config.dataDir, 'identity', 'identity.json');
    const before = JSON.parse(readFileSync(path, 'utf8'));
    await identity.renew(site.address);
    const after = JSON.parse(readFileSync(path, 'utf8'));
    t.not(after.keyPem, before.keyPem);
    t.not(after.certificatePem, before.certificatePem);
    t.equal(after.agentId, before.agentId);
    t.strictSame(after.trustedCaPems, before.trustedCaPems);
    site.agent.removed = true;
    t.equal(await refusal(identity.renew(site.address)), 'AGENT_REMOVED');
    t.equal(readFileSync(path, 'utf8'), `${JSON.stringify(after)}\n`, 'a refusal changes nothing');
  });
});
