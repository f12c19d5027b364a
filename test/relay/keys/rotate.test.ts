import { copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeEnvelope } from '@sitewarden/agent-proto/dsse';
import { PAYLOAD_TYPES, RELAY_KEY_PURPOSES } from '@sitewarden/agent-proto/http';
import { generateEd25519, privateKeyFromPem } from '@sitewarden/agent-proto/keys';
import { parseVkey, signCheckpoint, verifyCosignature } from '@sitewarden/agent-proto/note';
import t, { type Test } from 'tap';
import { readOrder, readRelayKeys, TrustError } from '../../../appliance/lib/trust.ts';
import { initKeys, loadKeyring, stepKeys } from '../../../relay/keys/index.ts';

async function world(t: Test) {
  const dataDir = t.testdir({});
  const { rootPublicKey, rootKeyFile } = await initKeys({ dataDir, host: 'relay.test', nowMs: 1_700_000_000_000 });
  const load = () => loadKeyring({ dataDir, host: 'relay.test' });
  let nowMs = 1_700_000_001_000;
  const step = (name: Parameters<typeof stepKeys>[0], file?: string) => {
    nowMs += 1000;
    return stepKeys(name, { dataDir, rootKeyFile: file, nowMs });
  };
  const boxReads = async () => readRelayKeys((await load()).publishedText, rootPublicKey);
  return { dataDir, rootKeyFile, load, step, boxReads, file: (name: string) => join(dataDir, 'keys', name) };
}
const ids = (keys: Awaited<ReturnType<Awaited<ReturnType<typeof world>>['boxReads']>>) =>
  RELAY_KEY_PURPOSES.map((purpose) => keys[purpose].map(({ keyId }) => keyId));
const signerOf = (text: string) => decodeEnvelope(Buffer.from(text)).keyId;

t.test('next, switch, retire: every key is believed before it signs, and after it did', async (t) => {
  const { load, step, boxReads } = await world(t);
  const first = ids(await boxReads());
  t.same(await step('next'), { generation: 2, phase: 'prepared' });
  const prepared = ids(await boxReads());
  t.same(
    prepared.map(([current]) => [current]),
    first,
  );
  t.equal(new Set(prepared.flat()).size, 2 * RELAY_KEY_PURPOSES.length, 'each purpose has a fresh one');
  const order = RELAY_KEY_PURPOSES.indexOf('order');
  t.equal(signerOf((await load()).sign('order', {})), first[order]?.[0], 'the old one still signs');

  t.same(await step('switch'), { generation: 3, phase: 'switched' });
  t.same(
    ids(await boxReads()),
    prepared.map((pair) => pair.toReversed()),
  );
  t.equal(signerOf((await load()).sign('order', {})), prepared[order]?.[1]);

  t.same(await step('retire'), { generation: 4, phase: 'single' });
  const last = ids(await boxReads());
  t.same(
    last,
    prepared.map(([, next]) => [next]),
  );
  t.equal(signerOf((await load()).sign('order', {})), last[order]?.[0]);
  t.same(await step('next'), { generation: 5, phase: 'prepared' }, 'and again');
});

t.test('of two steps at once one is taken, and the relay starts after the next', async (t) => {
  for (let round = 0; round < 5; round++) {
    const dataDir = t.testdir({});
    await initKeys({ dataDir, host: 'relay.test', nowMs: 1 });
    const both = await Promise.allSettled([2, 3].map((nowMs) => stepKeys('next', { dataDir, nowMs })));
    t.strictSame(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const refused = both.find((one) => one.status === 'rejected');
    t.match(refused?.reason, { code: /^(FILE_LOCKED|KEYS_STEP_WRONG)$/ });
    t.match(await stepKeys('switch', { dataDir, nowMs: 4 }), { phase: 'switched' });
    await t.resolves(loadKeyring({ dataDir, host: 'relay.test' }));
  }
});

t.test('a step out of turn, without the root key or with another one changes nothing', async (t) => {
  const { dataDir, rootKeyFile, step, file, boxReads } = await world(t);
  const before = await boxReads();
  await t.rejects(step('switch'), { code: 'KEYS_STEP_WRONG', message: /next comes next/ });
  await t.rejects(step('retire'), { code: 'KEYS_STEP_WRONG' });
  await writeFile(file('other.pem'), generateEd25519().privateKeyPem);
  await t.rejects(step('next', file('other.pem')), { code: 'ROOT_KEY_NEEDED', message: /not the root/ });
  const away = join(dataDir, 'usb-stick.pem');
  await rename(rootKeyFile, away);
  await t.rejects(step('next'), { code: 'ROOT_KEY_NEEDED', message: /--root-key/ });
  t.same(await boxReads(), before);
  await step('next', away);
  await t.rejects(step('next', away), { code: 'KEYS_STEP_WRONG', message: /next comes switch/ });
});

t.test('whatever a crash leaves between two files, the relay starts and the step can be done again', async (t) => {
  const { load, step, file, boxReads } = await world(t);
  const lists = async () => readFile(file('relay-keys.json'));
  // Next keys were made and not published.
  for (const purpose of RELAY_KEY_PURPOSES)
    await writeFile(file(`${purpose}.next.pem`), generateEd25519().privateKeyPem);
  await t.resolves(load());
  await step('next');
  await step('switch');
  // The retirement was published, and two files had their new names.
  await Promise.all(RELAY_KEY_PURPOSES.map((purpose) => copyFile(file(`${purpose}.pem`), file(`old-${purpose}`))));
  await Promise.all(RELAY_KEY_PURPOSES.map((purpose) => copyFile(file(`${purpose}.next.pem`), file(`new-${purpose}`))));
  await step('retire');
  const published = await lists();
  for (const purpose of RELAY_KEY_PURPOSES.slice(2)) {
    await copyFile(file(`old-${purpose}`), file(`${purpose}.pem`));
    await copyFile(file(`new-${purpose}`), file(`${purpose}.next.pem`));
  }
  await t.resolves(load());
  const current = ids(await boxReads());
  t.same(await step('next'), { generation: 5, phase: 'prepared' });
  t.same(
    ids(await boxReads()).map(([key]) => [key]),
    current,
    'the key in use was not written over',
  );
  t.not(await lists(), published);
  await rm(file('order.next.pem'));
  await t.resolves(load(), 'a lost next key does not stop the relay');
});

t.test('a box that knows the next key believes it; one with an older list alone does not', async (t) => {
  const { load, step, boxReads } = await world(t);
  const old = await boxReads();
  await step('next');
  const told = await boxReads();
  await step('switch');
  const envelope = (await load()).sign('order', { any: 'thing' });
  const why = (keys: typeof old) => {
    try {
      readOrder(envelope, keys);
      return 'taken';
    } catch (error) {
      return error instanceof TrustError ? error.message : String(error);
    }
  };
  t.match(why(old), /a key that is not known/);
  t.notMatch(why(told), /a key that is not known/, 'its signature holds; what it says is another matter');
  t.equal(decodeEnvelope(Buffer.from(envelope)).payloadType, PAYLOAD_TYPES.order);
});

t.test('a checkpoint cosigned before the change still verifies, under a key the relay can name', async (t) => {
  const { load, step } = await world(t);
  const origin = 'relay.test/a/app_1/1';
  const privateKey = privateKeyFromPem(generateEd25519().privateKeyPem);
  const note = signCheckpoint({ origin, size: 1, rootHash: Buffer.alloc(32, 1) }, { name: origin, privateKey });
  const before = await load();
  const cosigned = note + before.cosign('witness', note, 1_700_000_000);
  t.same(before.formerVkeys('witness'), []);
  for (const name of ['next', 'switch', 'retire'] as const) await step(name);
  const after = await load();
  t.throws(() => verifyCosignature(cosigned, parseVkey(after.vkey('witness'))));
  t.same(after.formerVkeys('witness'), [before.vkey('witness')]);
  t.equal(verifyCosignature(cosigned, parseVkey(after.formerVkeys('witness')[0] ?? '')).timestampS, 1_700_000_000);
});
