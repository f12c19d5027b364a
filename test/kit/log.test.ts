import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createLogger, isSecretName, type Logger, scrubText } from '@sitewarden/kit/log';
import t from 'tap';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed25519 = generateKeyPairSync('ed25519').privateKey;

const CANARY = {
  privateKeyPem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  publicPem: String(publicKey.export({ type: 'spki', format: 'pem' })).replaceAll('PUBLIC KEY', 'CERTIFICATE REQUEST'),
  keyDerBase64: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
  ed25519DerBase64: ed25519.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
  bearer: randomBytes(32).toString('base64url'),
  jwt: `eyJ${randomBytes(20).toString('hex')}.eyJ${randomBytes(30).toString('hex')}.${randomBytes(32).toString('base64url')}`,
  claimSession: randomBytes(16).toString('base64url'),
  code: 'BCDF-GHJKL-MNPQR',
  codeJoined: 'ZXWVTSRQPNMLKJ',
  prefixed: `swt_Aa${randomBytes(32).toString('base64url')}`,
  nonce: randomBytes(16).toString('base64url'),
  fingerprint: createHash('sha256').update('board serial').digest('hex'),
};

function capture(work: (log: Logger) => void): string {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  work(createLogger({ name: 'test', level: 'debug', destination }));
  for (const line of lines) JSON.parse(line);
  return lines.join('');
}

/** The most telling run of a secret, also as it stands in escaped JSON. */
const core = (secret: string) =>
  secret
    .replaceAll(/-----[^-]+-----/g, '')
    .trim()
    .split('\n')[0]!;

function leaks(text: string): string[] {
  return Object.entries(CANARY)
    .filter(([, secret]) => text.includes(core(secret)) || text.includes(Buffer.from(secret).toString('base64')))
    .map(([name]) => name);
}

t.test('a secret under its name is hidden at any depth, in children, errors and causes', async (t) => {
  const secrets = {
    token: CANARY.bearer,
    nonce: CANARY.nonce,
    hardwareFingerprint: CANARY.fingerprint,
    csr: CANARY.keyDerBase64,
    authorization: CANARY.nonce,
    evidence_key: CANARY.nonce,
    'set-cookie': CANARY.nonce,
  };
  const text = capture((log) => {
    log.debug(secrets, 'flat');
    log.debug({ a: { b: { c: [{ d: secrets }] } } }, 'deep');
    log.child(secrets).debug('child');
    log.child({ peer: secrets }).child({ x: 1 }).debug('grandchild');
    log.error(Object.assign(new Error('own'), secrets), 'error');
    log.error({ err: new Error('outer', { cause: Object.assign(new Error('inner'), { data: secrets }) }) }, 'cause');
    log.debug('as json %j and as object %o', secrets, secrets);
    log.debug({ text: JSON.stringify(secrets) }, JSON.stringify(secrets));
  });
  t.strictSame(leaks(text), []);
  t.equal(text.match(/"d":\{"token":"\[redacted\]"/g)?.length, 1);
});

t.test('a secret is hidden by its look wherever it stands', async (t) => {
  const text = capture((log) => {
    for (const secret of [CANARY.privateKeyPem, CANARY.publicPem, CANARY.keyDerBase64, CANARY.ed25519DerBase64]) {
      log.debug({ note: secret }, `in the text ${secret} and after`);
    }
    log.debug(`Authorization: Bearer ${CANARY.bearer}`);
    log.debug({ header: `Bearer ${CANARY.bearer}`, list: [CANARY.jwt] }, CANARY.jwt);
    log.debug({ url: `https://relay.example/claim#v1.${CANARY.claimSession}.abcd` }, 'scanned');
    log.debug({ url: `/x?token=${CANARY.nonce}&a=b` }, `nonce=${CANARY.nonce}`);
    log.debug({ typed: CANARY.code }, `code ${CANARY.codeJoined} and ${CANARY.code.toLowerCase()}`);
    log.debug(`outer: "token: '${CANARY.nonce}'" and x-api-key: ${CANARY.nonce}`);
    log.debug(`Cookie: a=1; session=${CANARY.nonce}; b=${CANARY.bearer}`);
    log.debug({ [CANARY.prefixed]: 1 }, CANARY.prefixed);
    log.error(new Error(`failed with Bearer ${CANARY.bearer}`));
  });
  t.strictSame(leaks(text), []);
  t.match(text, /claim#v1\.\[redacted\]\.abcd/);
  t.match(text, /in the text \[redacted\] and after/);
  t.notOk(text.includes(CANARY.code.toLowerCase()));
});

t.test('bytes are counted, not written', async (t) => {
  const bytes = randomBytes(32);
  const text = capture((log) =>
    log.debug({ a: bytes, b: new Uint8Array(bytes), c: { d: [...bytes] }, e: bytes.buffer }),
  );
  t.notOk(text.includes([...bytes].slice(0, 4).join(',')));
  t.notOk(text.includes(`"0":${bytes[0]}`));
  t.match(text, /"a":"\[32 bytes\]","b":"\[32 bytes\]","c":\{"d":"\[32 bytes\]"\}/);
});

t.test('what an operator needs stays readable', async (t) => {
  const facts = {
    applianceId: 'apl_6pqtxoqqeqwzdktrsst7jl5qau',
    tokenId: 'tok_1',
    keyAgeMs: 5,
    publicKey: 'mzxw6ytboi',
    certificateExpiresAt: '2026-01-01',
    digest: CANARY.fingerprint,
    hasToken: true,
    code: 'QUEUE_FULL',
    path: '/api/appliances/checkin',
    count: 12,
  };
  const text = capture((log) => log.info(facts, 'strengths and rhythms of 14 workstations'));
  t.match(JSON.parse(text), { ...facts, level: 'info', name: 'test', msg: 'strengths and rhythms of 14 workstations' });
  t.notOk('hostname' in JSON.parse(text));
});

t.test('names are judged however they are written', async (t) => {
  for (const name of [
    'token',
    'enrollToken',
    'ENROLL_TOKEN',
    'x-api-key',
    'clientSecret',
    'passwd',
    'device_key',
    'csrPem',
    'Set-Cookie',
    'privateKeyPem',
    'machineId',
    'provisioningCode',
    'keys',
  ]) {
    t.ok(isSecretName(name), name);
  }
  for (const name of [
    'tokenId',
    'tokens_count',
    'publicKey',
    'idempotencyKey',
    'code',
    'monkey_count',
    'certificateSerial',
    'tokenExpiresAt',
    'host',
    'status',
  ]) {
    t.notOk(isSecretName(name), name);
  }
});

t.test('a line is written whole and valid whatever is in it', async (t) => {
  const cyclic: Record<string, unknown> = { name: 'loop' };
  cyclic.self = cyclic;
  const text = capture((log) => {
    log.info(cyclic);
    log.info({
      big: 'x'.repeat(100_000),
      bigint: 5n,
      none: undefined,
      date: new Date(0),
      map: new Map([['token', CANARY.nonce]]),
    });
    log.info({ many: Array.from({ length: 30 }, () => 'y'.repeat(8000)) }, 'too much');
    log.info({ quote: '"}\n{"level":"fatal"' }, 'line\nbreak');
    log.info({ enormous: 'z'.repeat(300_000) }, 'enormous');
  });
  const lines = text.trimEnd().split('\n');
  t.equal(lines.length, 5);
  t.match(JSON.parse(lines[1]!), { bigint: 5, date: '1970-01-01T00:00:00.000Z', big: /^x{8192}\.\.\.$/ });
  t.match(JSON.parse(lines[4]!), { msg: 'enormous', leftOutCharacters: Number });
  t.ok(text.length < 40_000, `${text.length} characters`);
  t.match(JSON.parse(lines[2]!), { msg: 'too much', leftOutCharacters: Number });
  t.strictSame(leaks(text), []);
});

t.test('text made to be slow is not', async (t) => {
  const parts = ['aa-', 'eyJ-', 'MII-', 'BCDF ', '-----BEGIN A-----', 'token: ', 'Bearer ', 'code=', '"token":"'];
  for (const part of parts) {
    const beganMs = performance.now();
    scrubText(part.repeat(8192 / part.length));
    t.ok(performance.now() - beganMs < 500, part);
  }
});

t.test('below the level nothing is written', async (t) => {
  const lines: string[] = [];
  const log = createLogger({ name: 'quiet', level: 'warn', destination: { write: (line) => void lines.push(line) } });
  log.info('no');
  log.warn('yes');
  t.equal(lines.length, 1);
});
