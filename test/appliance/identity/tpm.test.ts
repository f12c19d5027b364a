import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { identityFolder, keyStorageOf, loadIdentity, openVault } from '../../../appliance/identity/index.ts';
import { findTool, skipWithout } from '../../helpers/needs.ts';
import { skipWithoutTpm, startSwtpm } from '../../helpers/swtpm.ts';

type Mode = 'auto' | 'required' | 'off';
const CHILD = join(import.meta.dirname, 'children', 'make-keys.ts');

async function start(dataDir: string, mode: Mode, tcti?: string) {
  const plain: string[] = [];
  const vault = await openVault({ dir: identityFolder(dataDir), mode, tcti, onPlain: (why) => plain.push(why) });
  const identity = await loadIdentity({ dataDir, publicHosts: [], vault });
  const { tls } = await identity.serverTls(Date.now());
  const { dik, evk, seal, siteCa } = identity;
  const keys = [dik.publicKey, evk.publicKey, seal.publicKey, siteCa.sha256, tls.certificatePem];
  return { identity, keys, plain };
}

const filesOf = (dataDir: string) =>
  Object.fromEntries(
    readdirSync(identityFolder(dataDir)).map((name) => [
      name,
      readFileSync(join(identityFolder(dataDir), name), 'latin1'),
    ]),
  );
const PRIVATE = /PRIVATE KEY/;
const assertSealed = (t: Test, dataDir: string) => {
  for (const [name, text] of Object.entries(filesOf(dataDir))) {
    t.notMatch(text, PRIVATE, `${name} holds no private key`);
    if (['dik.pem', 'evk.pem', 'seal.key', 'site-ca.key.pem', 'server.pem'].includes(name)) {
      t.match(text, /^sitewarden-sealed-v1 /, name);
    }
  }
};
/** No TPM listens there. */
const NOWHERE = 'swtpm:path=/nonexistent/tpm';

t.test('where there is a TPM the keys are sealed to it, and only this TPM opens them', async (t) => {
  if (skipWithoutTpm(t)) return;
  const tpm = await startSwtpm(t);
  const base = t.testdir({ box: {} });
  const dataDir = join(base, 'box');
  const made = await start(dataDir, 'auto', tpm.tcti);
  assertSealed(t, dataDir);
  t.equal(await keyStorageOf(dataDir), 'tpm');
  t.equal(made.identity.storage, 'tpm');
  t.strictSame((await start(dataDir, 'required', tpm.tcti)).keys, made.keys, 'the same box after a restart');
  for (let round = 0; round < 6; round += 1) await start(dataDir, 'auto', tpm.tcti);
  t.pass('asking often fills no place in the TPM');
  t.strictSame(
    readdirSync(identityFolder(dataDir)).filter((name) => name.startsWith('.tpm')),
    [],
    'nothing is left',
  );

  const copy = join(base, 'copy');
  cpSync(dataDir, copy, { recursive: true });
  const other = await startSwtpm(t);
  const before = filesOf(copy);
  for (const mode of ['auto', 'required', 'off'] as const) {
    await t.rejects(
      start(copy, mode, other.tcti),
      { code: 'KEYS_SEALED_ELSEWHERE', message: /own machine.*reset/ },
      mode,
    );
    await t.rejects(start(copy, mode, NOWHERE), { code: 'TPM_NEEDED' }, `${mode}, no TPM at all`);
  }
  t.strictSame(filesOf(copy), before, 'and no key was made anew');
  rmSync(join(identityFolder(copy), 'kek.tpm.json'));
  await t.rejects(start(copy, 'auto', other.tcti), { code: 'KEYS_SEALED_ELSEWHERE' }, 'without what the TPM gave out');
});

t.test('a TPM that answers but does not seal leaves the keys plain, unless it is required', async (t) => {
  if (skipWithoutTpm(t)) return;
  const tpm = await startSwtpm(t);
  const env = { ...process.env, TPM2TOOLS_TCTI: tpm.tcti };
  t.equal(spawnSync('tpm2_changeauth', ['-c', 'owner', 'secret'], { env }).status, 0);
  const dataDir = t.testdir({});
  const made = await start(dataDir, 'auto', tpm.tcti);
  t.equal(made.plain.length, 1, 'and says why');
  t.equal(await keyStorageOf(dataDir), 'plain');
  t.strictSame((await start(dataDir, 'auto', tpm.tcti)).keys, made.keys);
  await t.rejects(start(dataDir, 'required', tpm.tcti), { code: 'TPM_NEEDED', message: /required/ });
  t.equal(spawnSync('tpm2_changeauth', ['-c', 'owner', '-p', 'secret'], { env }).status, 0);
  t.strictSame((await start(dataDir, 'auto', tpm.tcti)).keys, made.keys);
  assertSealed(t, dataDir);
});

t.test('the same TPM after the machine was off opens them again', async (t) => {
  if (skipWithoutTpm(t)) return;
  const tpm = await startSwtpm(t);
  const dataDir = t.testdir({});
  const { keys } = await start(dataDir, 'auto', tpm.tcti);
  await tpm.stop();
  await t.rejects(start(dataDir, 'auto', tpm.tcti), { code: 'TPM_NEEDED' });
  const again = await startSwtpm(t, tpm.state);
  t.strictSame((await start(dataDir, 'auto', again.tcti)).keys, keys);
});

t.test('plain keys are sealed at the next start, the next ones too, and there is a way back', async (t) => {
  if (skipWithoutTpm(t)) return;
  const tpm = await startSwtpm(t);
  const dataDir = t.testdir({});
  const { keys, identity, plain } = await start(dataDir, 'auto', NOWHERE);
  t.equal(plain.length, 1, 'it is told why');
  t.equal(await keyStorageOf(dataDir), 'plain');
  t.match(filesOf(dataDir)['dik.pem'], PRIVATE);
  await t.rejects(start(dataDir, 'required', NOWHERE), { code: 'TPM_NEEDED' });
  const next = await identity.next.make('dik');
  t.strictSame((await start(dataDir, 'auto', tpm.tcti)).keys, keys);
  assertSealed(t, dataDir);
  const sealed = await start(dataDir, 'auto', tpm.tcti);
  t.equal((await sealed.identity.next.find('dik'))?.publicKey, next.publicKey);
  await sealed.identity.next.putInForce('dik');
  t.equal(
    (await start(dataDir, 'auto', tpm.tcti)).identity.dik.publicKey,
    next.publicKey,
    'it opens under its new name',
  );
  t.equal((await start(dataDir, 'off', tpm.tcti)).identity.dik.publicKey, next.publicKey);
  t.match(filesOf(dataDir)['dik.pem'], PRIVATE, 'plain again');
  t.notOk(Object.hasOwn(filesOf(dataDir), 'kek.tpm.json'));
  t.equal((await start(dataDir, 'off', NOWHERE)).identity.dik.publicKey, next.publicKey, 'without a TPM');
});

t.test('a box killed at any step of sealing its keys starts again as the same box', async (t) => {
  if (skipWithoutTpm(t) || skipWithout(t, { tools: ['strace'] })) return;
  const tpm = await startSwtpm(t);
  const strace = findTool('strace') as string;
  let killed = 0;
  for (let nth = 1; nth <= 6; nth += 1) {
    const dataDir = t.testdir({});
    const { keys } = await start(dataDir, 'off');
    const inject = `inject=rename,renameat,renameat2:signal=SIGKILL:retval=0:when=${nth}`;
    const args = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=rename,renameat,renameat2', '-e', inject];
    const { signal, status } = spawnSync(strace, [...args, process.execPath, CHILD, dataDir, tpm.tcti], {
      // strace counts the calls of each thread for itself.
      env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    });
    if (signal === 'SIGKILL' || status === 137) killed += 1;
    t.strictSame(
      (await start(dataDir, 'auto', tpm.tcti)).keys.slice(0, 4),
      keys.slice(0, 4),
      `killed at rename ${nth}`,
    );
    assertSealed(t, dataDir);
  }
  t.equal(killed, 6, 'the key of the vault and five files');
});

t.test('no argv and no file ever holds the secret the TPM keeps', async (t) => {
  if (skipWithoutTpm(t) || skipWithout(t, { tools: ['strace'] })) return;
  const tpm = await startSwtpm(t);
  const dataDir = t.testdir({});
  const log = join(t.testdirName, 'exec.log');
  const args = ['-f', '-qq', '-s', '4096', '-o', log, '-e', 'trace=execve'];
  const { status } = spawnSync(findTool('strace') as string, [...args, process.execPath, CHILD, dataDir, tpm.tcti]);
  t.equal(status, 0);
  const vault = await openVault({ dir: identityFolder(dataDir), mode: 'auto', tcti: tpm.tcti, onPlain: () => {} });
  const forms = ['base64url', 'base64', 'hex'].map((form) => (vault.key as Buffer).toString(form as 'hex'));
  const seen = readFileSync(log, 'utf8') + Object.values(filesOf(dataDir)).join('\n');
  t.match(seen, /tpm2_create/);
  for (const form of forms) t.notOk(seen.includes(form));
});
