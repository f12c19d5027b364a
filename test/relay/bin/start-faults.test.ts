import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';

const PROGRAM = join(import.meta.dirname, '..', '..', '..', 'relay', 'bin', 'sitewarden-relay.ts');

function run(...args: string[]): Promise<{ code: number | null; err: string }> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let err = '';
  child.stderr.on('data', (text) => {
    err += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, err })));
}

/** One line with code, field and next step, and no stack. */
async function refuses(t: Test, args: string[], line: RegExp): Promise<void> {
  const { code, err } = await run(...args);
  t.equal(code, 1);
  t.match(err, line);
  t.notMatch(err, /\n\s+at /, 'no stack');
}

async function folder(t: Test): Promise<string> {
  const dataDir = t.testdir();
  t.equal((await run('init', '--data-dir', dataDir)).code, 0);
  return dataDir;
}

t.test('an address that cannot be listened on is named with its field', async (t) => {
  const dataDir = await folder(t);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.teardown(() => other.close());
  const { port } = other.address() as { port: number };
  await refuses(
    t,
    ['serve', '--data-dir', dataDir, '--port', String(port)],
    new RegExp(`^LISTEN_FAILED: 127\\.0\\.0\\.1 port ${port}: another program.*start again\\. \\(listen\\.port\\)`),
  );
  await writeFile(
    join(dataDir, 'relay.yaml'),
    JSON.stringify({ dataDir, publicUrl: 'http://127.0.0.1', listen: { host: '192.0.2.1', port: 0 } }),
  );
  await refuses(
    t,
    ['serve', '--config', join(dataDir, 'relay.yaml')],
    /^LISTEN_FAILED: 192\.0\.2\.1 port 0: this host does not have that address.*\(listen\.host\)/,
  );
});

t.test('proxies, connection strings and databases that cannot be right have their code', async (t) => {
  const dataDir = await folder(t);
  const serve = ['serve', '--data-dir', dataDir, '--port', '0'];
  await refuses(
    t,
    [...serve, '--trust-proxy', '10.0.0.1', 'nonsense'],
    /^CONFIG_INVALID: `nonsense`.*\(trustProxy\[1\]\)/,
  );
  await refuses(t, [...serve, '--trust-proxy', '10.0.0.0/33'], /^CONFIG_INVALID: .*\(trustProxy\[0\]\)/);
  const file = join(dataDir, 'connection');
  const postgres = [...serve, '--store', 'postgres', '--connection-string-file', file];
  await writeFile(file, 'gibberish-s3cret');
  await refuses(t, postgres, /^CONFIG_INVALID: (?!.*s3cret).*\(store\.connectionStringFile\)/);
  await writeFile(file, 'postgres://app:s3cret@127.0.0.1:1/relay');
  await refuses(t, postgres, /^STORE_UNREACHABLE: (?!.*s3cret).*127\.0\.0\.1:1.*\(store\.connectionStringFile\)/);
  await refuses(
    t,
    [...postgres, '--migrate-connection-string-file', file],
    /^STORE_UNREACHABLE: .*\(store\.migrateConnectionStringFile\)/,
  );
  await refuses(t, ['people', '--data-dir', join(dataDir, 'nothing')], /^DATA_DIR_UNUSABLE: .*\(dataDir\)/);
});
