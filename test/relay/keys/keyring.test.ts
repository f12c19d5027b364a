import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeEnvelope, verifyEnvelope } from '@sitewarden/agent-proto/dsse';
import { compile, PAYLOAD_TYPES, RELAY_KEY_PURPOSES, RelayKeys } from '@sitewarden/agent-proto/http';
import { generateEd25519, privateKeyFromPem, publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import { parseVkey, signCheckpoint, verifyCosignature } from '@sitewarden/agent-proto/note';
import t from 'tap';
import { initKeys, loadKeyring } from '../../../relay/keys/index.ts';

const init = (dataDir: string, host = 'relay.test') => initKeys({ dataDir, host, nowMs: 1_700_000_000_000 });

t.test('the working keys are signed by the root key, and the relay runs without it', async (t) => {
  const dataDir = t.testdir();
  const { rootPublicKey, rootKeyFile } = await init(dataDir);
  await rm(rootKeyFile);
  const keys = await loadKeyring({ dataDir, host: 'relay.test' });
  const envelope = decodeEnvelope(Buffer.from(keys.publishedText));
  t.equal(envelope.payloadType, PAYLOAD_TYPES.relayKeys);
  const payload = verifyEnvelope(envelope, publicKeyFromRaw(rootPublicKey));
  t.match(compile(RelayKeys)(JSON.parse(Buffer.from(payload).toString())), { ok: true, value: { host: 'relay.test' } });
  const publicKeys = RELAY_KEY_PURPOSES.map((purpose) => keys.published[purpose][0]?.publicKey);
  t.equal(new Set([...publicKeys, rootPublicKey]).size, RELAY_KEY_PURPOSES.length + 1, 'one key, one purpose');
});

t.test('private keys can be read by the relay alone', async (t) => {
  const dataDir = t.testdir();
  await init(dataDir);
  for (const name of ['root', ...RELAY_KEY_PURPOSES]) {
    t.equal((await stat(join(dataDir, 'keys', `${name}.pem`))).mode & 0o777, 0o600, name);
  }
  t.equal((await stat(join(dataDir, 'keys'))).mode & 0o777, 0o700);
});

t.test('keys are never made over others', async (t) => {
  const dataDir = t.testdir();
  await init(dataDir);
  await t.rejects(init(dataDir), { code: 'KEYS_EXIST' });
});

t.test('keys that are missing, damaged or of another relay are refused', async (t) => {
  const dataDir = t.testdir();
  await t.rejects(loadKeyring({ dataDir, host: 'relay.test' }), { code: 'KEYS_MISSING' });
  await init(dataDir);
  await t.rejects(loadKeyring({ dataDir, host: 'other.test' }), { code: 'KEYS_INVALID' });
  const order = join(dataDir, 'keys', 'order.pem');
  const good = await readFile(order, 'utf8');
  await writeFile(order, generateEd25519().privateKeyPem);
  await t.rejects(loadKeyring({ dataDir, host: 'relay.test' }), { code: 'KEYS_INVALID', message: /order key/ });
  await writeFile(order, good.replace('BEGIN', 'BEGUN'));
  await t.rejects(loadKeyring({ dataDir, host: 'relay.test' }), { code: 'KEYS_INVALID' });
  await rm(order);
  await t.rejects(loadKeyring({ dataDir, host: 'relay.test' }), { code: 'KEYS_MISSING' });
});

t.test('each purpose signs with its own key under its own type', async (t) => {
  const dataDir = t.testdir();
  await init(dataDir);
  const keys = await loadKeyring({ dataDir, host: 'relay.test' });
  const text = keys.sign('order', { seq: 1 });
  const envelope = decodeEnvelope(Buffer.from(text));
  t.equal(envelope.payloadType, PAYLOAD_TYPES.order);
  t.doesNotThrow(() => verifyEnvelope(envelope, publicKeyFromRaw(keys.published.order[0]?.publicKey ?? '')));
  t.throws(() => verifyEnvelope(envelope, publicKeyFromRaw(keys.published.config[0]?.publicKey ?? '')));
});

t.test('witness and mirror cosign as their verifier keys say', async (t) => {
  const dataDir = t.testdir();
  await init(dataDir);
  const keys = await loadKeyring({ dataDir, host: 'relay.test' });
  const origin = 'relay.test/a/app_1/1';
  const privateKey = privateKeyFromPem(generateEd25519().privateKeyPem);
  const note = signCheckpoint({ origin, size: 1, rootHash: Buffer.alloc(32, 1) }, { name: origin, privateKey });
  for (const purpose of ['witness', 'mirror'] as const) {
    const line = keys.cosign(purpose, note, 1_700_000_000);
    const verified = verifyCosignature(`${note}${line}`, parseVkey(keys.vkey(purpose)));
    t.equal(verified.timestampS, 1_700_000_000);
  }
  t.not(keys.vkey('witness'), keys.vkey('mirror'));
});
