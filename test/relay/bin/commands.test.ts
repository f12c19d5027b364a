import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { StaffClient } from '../../helpers/staff-client.ts';

/** The runner's own hooks would load in every program and make each start seconds longer. */
const ENV = { ...process.env, NODE_OPTIONS: '' };
const PROGRAM = join(import.meta.dirname, '..', '..', '..', 'relay', 'bin', 'sitewarden-relay.ts');

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

function run(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: ENV });
  const ended: Ended = { code: null, out: '', err: '' };
  child.stdout.on('data', (text) => {
    ended.out += text;
  });
  child.stderr.on('data', (text) => {
    ended.err += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ ...ended, code })));
}

interface Ready {
  ready: boolean;
  url: string;
  publicUrl: string;
  signInUrl: string | null;
}

async function serve(t: Test, dataDir: string): Promise<{ child: ChildProcess; ready: Ready; log: () => string }> {
  const args = ['serve', '--data-dir', dataDir, '--port', '0', '--ready-json', '--log-level', 'debug'];
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: ENV });
  let log = '';
  child.stderr.on('data', (text) => {
    log += text;
  });
  t.teardown(() => child.kill('SIGKILL'));
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, ready: JSON.parse(line) as Ready, log: () => log };
  }
  throw new Error(`it ended before it was ready: ${log}`);
}

function stop(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.kill('SIGTERM');
  });
}

t.test('the first start lets an admin in, and the second does not make another', async (t) => {
  const dataDir = t.testdir();
  const made = await run('init', '--data-dir', dataDir, '--json');
  t.match(JSON.parse(made.out), { host: '127.0.0.1', rootPublicKey: /^[A-Za-z0-9_-]{43}$/ });
  t.match(await run('init', '--data-dir', dataDir), { code: 1, err: /^KEYS_EXIST: / });
  t.match(await run('init', '--data-dir', dataDir, '--if-missing'), { code: 0 });

  const first = await serve(t, dataDir);
  t.match(first.ready, { ready: true, url: /^http:\/\/127\.0\.0\.1:\d+$/, signInUrl: /\/sign-in#/ });
  const client = new StaffClient(first.ready.url);
  t.match(await client.signIn(first.ready.signInUrl ?? ''), { status: 200, body: { role: 'admin' } });
  const token = first.ready.signInUrl?.split('#')[1] ?? '-';
  t.notOk(first.log().includes(token), 'the token is in no log');
  t.notOk(first.log().includes(client.cookie?.split('=')[1] ?? '-'));

  t.match(await run('serve', '--data-dir', dataDir, '--port', '0'), { code: 1, err: /FILE_LOCKED/ });
  const link = await run(
    'sign-in-link',
    '--data-dir',
    dataDir,
    '--public-url',
    first.ready.url,
    '--role',
    'readonly',
    '--json',
  );
  const reader = new StaffClient(first.ready.url);
  t.match(await reader.signIn(JSON.parse(link.out).url), { status: 200, body: { role: 'readonly' } });

  const own = { email: 'ada@partner.example', next: 'correct horse battery' };
  t.equal((await client.call('changeOwnPassword', { body: own })).status, 200);
  const byEmail = ['sign-in-link', '--data-dir', dataDir, '--public-url', first.ready.url, '--email'];
  const way = await run(...byEmail, 'Ada@partner.example');
  t.match(way, { code: 0, out: /^For Admin \(admin\), once, within 15 minutes: / });
  const again = new StaffClient(first.ready.url);
  t.match(await again.signIn(way.out.trim().split(' ').at(-1) as string), { status: 200, body: { role: 'admin' } });
  t.match(await run(...byEmail, 'nobody@partner.example'), { code: 1, err: /^NOT_FOUND: Nobody who may sign in/ });

  t.equal(await stop(first.child), 0, 'it stops cleanly');
  const second = await serve(t, dataDir);
  t.equal(second.ready.signInUrl, null);
  await stop(second.child);
});

t.test('mistakes on the command line and in the configuration are told with the next step', async (t) => {
  const dataDir = t.testdir({ 'relay.yaml': 'dataDri: x\n' });
  t.match(await run('serve', '--data-dir', dataDir, '--port', '0'), { code: 1, err: /^KEYS_MISSING: .*init first/ });
  const mistyped = join(dataDir, 'mis', 'typed');
  t.match(await run('serve', '--data-dir', mistyped, '--port', '0'), { code: 1, err: /^KEYS_MISSING/ });
  t.equal(existsSync(mistyped), false, 'nothing is made there');
  const check = await run('config', 'check', '-c', join(dataDir, 'relay.yaml'));
  t.match(check, { code: 1, err: /relay\.yaml:1:1: dataDri: unknown key `dataDri` \(did you mean `dataDir`\?\)/ });
  t.match(await run('config', 'check', '--data-dir', dataDir), { code: 0, out: /"port": 8443/ });
  t.match(await run('sign-in-link', '--data-dir', dataDir, '--public-url', 'http://x', '--role', 'boss'), {
    code: 1,
    err: /boss is not a role/,
  });
  t.match(await run('serve', '--store', 'postgres', '--data-dir', dataDir), {
    code: 1,
    err: /--connection-string-file/,
  });
});

t.test('a second partner has its own people', async (t) => {
  const dataDir = t.testdir();
  await run('init', '--data-dir', dataDir);
  const base = ['sign-in-link', '--data-dir', dataDir, '--public-url', 'http://127.0.0.1:1', '--json'];
  t.match(await run(...base), { code: 1, err: /PARTNER_UNKNOWN: This relay has 0 partners/ });
  const one = JSON.parse((await run(...base, '--create-partner', 'Northwind')).out);
  const two = JSON.parse((await run(...base, '--create-partner', 'Southwind')).out);
  t.not(one.partnerId, two.partnerId);
  t.match(await run(...base), { code: 1, err: /has 2 partners/ });
  t.match(JSON.parse((await run(...base, '--partner', two.partnerId)).out), { staffId: two.staffId });
});

t.test('a person is listed, disabled, and it stands in an audit chain that holds', async (t) => {
  const dataDir = t.testdir();
  await run('init', '--data-dir', dataDir);
  const base = ['sign-in-link', '--data-dir', dataDir, '--public-url', 'http://127.0.0.1:1', '--json'];
  const { staffId } = JSON.parse((await run(...base, '--create-partner', 'Northwind', '--name', 'Kim')).out);
  t.match(
    (await run('people', '--data-dir', dataDir)).out,
    new RegExp(`^${staffId}\\tptn_\\w+\\tadmin\\tactive\\tKim`),
  );
  t.match(await run('disable', staffId, '--data-dir', dataDir), { code: 0, out: /^Kim is signed out/ });
  t.match((await run('people', '--data-dir', dataDir)).out, /disabled\tKim/);
  t.match(await run('disable', staffId, '--data-dir', dataDir), { code: 1, err: /^NOT_FOUND/ });
  t.match(await run('audit-verify', '--data-dir', dataDir), { code: 0, out: /\t4 events\tthe chain holds/ });
});

t.test('migrating brings an empty folder to the newest version and says so', async (t) => {
  const dataDir = t.testdir();
  t.match(await run('migrate', '--data-dir', dataDir), { code: 0, out: /newest version/ });
});
