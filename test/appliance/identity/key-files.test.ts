import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadIdentity } from '../../../appliance/identity/index.ts';
import { fromStored, toStored } from '../../../appliance/identity/vault.ts';
import { findTool, skipWithout } from '../../helpers/needs.ts';

const CHILD = join(import.meta.dirname, 'children', 'make-keys.ts');
const KEYS = ['dik.pem', 'evk.pem', 'seal.key', 'site-ca.key.pem'];

const load = (dataDir: string) => loadIdentity({ dataDir, publicHosts: [] });

t.test('keys are made at the first start for the owner alone, stay the same, and differ from box to box', async (t) => {
  const base = t.testdir({ one: {}, other: {} });
  const [one, other] = [join(base, 'one'), join(base, 'other')];
  const first = await load(one);
  const again = await load(one);
  const stranger = await load(other);
  const publics = ({ dik, evk, seal, siteCa }: typeof first) =>
    [dik, evk, seal].map((key) => key.publicKey).concat(siteCa.sha256);
  t.strictSame(publics(again), publics(first));
  t.equal(new Set([...publics(first), ...publics(stranger)]).size, 8);
  const dir = join(one, 'identity');
  t.equal(statSync(dir).mode & 0o777, 0o700);
  for (const name of readdirSync(dir)) t.equal(statSync(join(dir, name)).mode & 0o777, 0o600, name);
});

t.test('a key that cannot be read is never made anew, and what stood there is not repeated', async (t) => {
  for (const name of KEYS) {
    const dataDir = t.testdir({});
    await load(dataDir);
    const path = join(dataDir, 'identity', name);
    writeFileSync(path, 'CANARY-of-a-damaged-key');
    const error = (await load(dataDir).catch((fault: unknown) => fault)) as Error & { code: string };
    t.equal(error.code, 'IDENTITY_DAMAGED', name);
    t.notMatch(`${error.message} ${error.stack} ${JSON.stringify(error)}`, /CANARY/);
    t.equal(readFileSync(path, 'utf8'), 'CANARY-of-a-damaged-key');
  }
});

/** strace counts the calls of each thread for itself. */
const ONE_THREAD = { ...process.env, UV_THREADPOOL_SIZE: '1' };

/** Runs the child until the n-th rename, which never happens: it is killed there. */
function killedAtRename(dataDir: string, nth: number): boolean {
  const strace = findTool('strace') as string;
  const inject = `inject=rename,renameat,renameat2:signal=SIGKILL:retval=0:when=${nth}`;
  const args = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=rename,renameat,renameat2', '-e', inject];
  const { signal, status } = spawnSync(strace, [...args, process.execPath, CHILD, dataDir], { env: ONE_THREAD });
  return signal === 'SIGKILL' || status === 137;
}

const run = (dataDir: string): { keys: string[]; text: string } => {
  const { stdout, stderr } = spawnSync(process.execPath, [CHILD, dataDir], { encoding: 'utf8' });
  return { keys: stdout === '' ? [] : JSON.parse(stdout), text: stderr };
};

t.test(
  'a box killed between writing a key and its rename starts with whole keys, and keeps those it had',
  async (t: Test) => {
    if (skipWithout(t, { tools: ['strace'] })) return;
    for (let nth = 1; nth <= 7; nth += 1) {
      const dataDir = t.testdir({});
      t.equal(killedAtRename(dataDir, nth), true, `killed at rename ${nth}`);
      const before = readdirSync(join(dataDir, 'identity')).filter((name) => !name.endsWith('.tmp'));
      t.equal(before.length, nth - 1, 'the files before it are there, and it is not');
      const kept = before.includes('dik.pem') ? readFileSync(join(dataDir, 'identity', 'dik.pem'), 'utf8') : undefined;
      const { keys, text } = run(dataDir);
      t.equal(keys.length, 4, text);
      if (kept !== undefined) t.equal(readFileSync(join(dataDir, 'identity', 'dik.pem'), 'utf8'), kept);
      const left = readdirSync(join(dataDir, 'identity')).filter((name) => name.endsWith('.tmp'));
      t.strictSame(left, [], 'half-written files are gone');
      t.strictSame(run(dataDir).keys, keys, 'and the keys stay');
    }
  },
);

t.test('a sealed text opens under its key and its name alone', async (t) => {
  const vault = { key: Buffer.alloc(32, 1), isSealing: true };
  const stored = toStored('dik.pem', 'a private key', vault);
  t.notMatch(stored, /private/);
  t.not(toStored('dik.pem', 'a private key', vault), stored, 'each time another nonce');
  t.equal(fromStored('dik.pem', stored, vault), 'a private key');
  t.throws(() => fromStored('evk.pem', stored, vault), 'another file');
  t.throws(() => fromStored('dik.pem', stored, { ...vault, key: Buffer.alloc(32, 2) }), 'another key');
  t.throws(() => fromStored('dik.pem', stored, { key: undefined, isSealing: false }), 'no key');
  for (let at = 'sitewarden-sealed-v1 '.length; at < stored.length - 1; at += 1) {
    const changed = stored.slice(0, at) + (stored[at] === 'A' ? 'B' : 'A') + stored.slice(at + 1);
    // The last character of a base64url text can hold bits that say nothing.
    let text: string | undefined;
    try {
      text = fromStored('dik.pem', changed, vault);
    } catch {
      text = undefined;
    }
    t.ok(text === undefined || (text === 'a private key' && at > stored.length - 4), `character ${at}`);
  }
});
