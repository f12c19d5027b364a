import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ENTRIES, startProgram } from '../../../scripts/lib/programs.ts';
import { runScript } from '../../helpers/run-script.ts';

function configFile(t: Test, { relay = '', ...groups }: Record<string, string>): string {
  const dir = t.testdir({});
  const { dataDir = join(dir, 'data'), intake = 'host: 127.0.0.1, port: 0', local = 'port: 0' } = groups;
  const path = join(dir, 'appliance.yaml');
  writeFileSync(
    path,
    [
      `relay: { url: http://127.0.0.1:1, rootKey: ${'A'.repeat(43)}${relay} }`,
      `dataDir: ${dataDir}`,
      `intake: { ${intake} }`,
      `local: { ${local} }`,
      'discovery: { enabled: false }',
      '',
    ].join('\n'),
  );
  return path;
}

async function takenPort(t: Test): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

const STACK = /\n\s+at |"stack"/;

t.test('a fault at the start is one sentence with a code, the key and the next step, and no stack', async (t) => {
  const port = await takenPort(t);
  const cases: [string, Record<string, string>, RegExp][] = [
    [
      'local port in use',
      { local: `port: ${port}` },
      /local\.port: 127\.0\.0\.1:\d+ is in use .*Stop.*\[LISTEN_FAILED\]/,
    ],
    [
      'local host of another',
      { local: 'host: 192.0.2.1, port: 0' },
      /local\.host: 192\.0\.2\.1:0 is no address of this machine/,
    ],
    [
      'intake port in use',
      { intake: `host: 127.0.0.1, port: ${port}` },
      /intake\.port: .* is in use .*\[LISTEN_FAILED\]/,
    ],
    [
      'CA file missing',
      { relay: ', caFile: /nonexistent/ca.pem' },
      /relay\.caFile: \/nonexistent\/ca\.pem is not read \(ENOENT\).*\[CONFIG_INVALID\]/,
    ],
    [
      'CA file that is none',
      { relay: ', caFile: /etc/hostname' },
      /relay\.caFile: .*no certificate.*\[CONFIG_INVALID\]/,
    ],
    ['data folder under /proc', { dataDir: '/proc/nope' }, /\/proc\/nope.*\[DATA_DIR_UNUSABLE\]/],
  ];
  for (const [name, groups, expected] of cases) {
    const { code, out, err } = await runScript(ENTRIES.appliance, 'run', '-c', configFile(t, groups));
    t.equal(code, 1, name);
    t.match(err, expected, name);
    t.notMatch(out + err, STACK, name);
  }
});

t.test('what the daemon refuses is told as the daemon says it, without a stack', async (t) => {
  const config = configFile(t, {});
  const running = await startProgram({
    name: 'appliance',
    entry: ENTRIES.appliance,
    args: ['run', '-c', config, '--ready-json'],
  });
  t.teardown(() => running.stop());
  const { code, err } = await runScript(ENTRIES.appliance, 'agents', 'remove', 'foo', '-c', config);
  t.equal(code, 1);
  t.match(err, /\[LOCAL_BODY_INVALID\]$|\[AGENT_UNKNOWN\]$/m);
  t.notMatch(err, STACK);
});

t.test('wrong usage of every program ends with 2, help with 0', async (t) => {
  for (const [name, entry] of Object.entries(ENTRIES)) {
    for (const args of [['no-such-command'], ['--no-such-option'], []]) {
      t.equal((await runScript(entry, ...args)).code, 2, `${name} ${args.join(' ')}`);
    }
    const { code, out } = await runScript(entry, '--help');
    t.equal(code, 0, name);
    t.match(out, /2 +wrong usage/, name);
  }
  const claim = await runScript(ENTRIES.appliance, 'claim', '--code', 'BCDFGHJKLMNPQR');
  t.equal(claim.code, 2);
  t.match(claim.err, /standard input/);
});
