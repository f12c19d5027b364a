import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runTool } from '@sitewarden/kit/exec';
import t, { type Test } from 'tap';
import { ENTRIES, nodeCommand, programEnvironment, runProgram } from '../../scripts/lib/programs.ts';

const env = programEnvironment() as Record<string, string>;
const NEVER_READ = '{ "$@"; echo "exit $?" >&2; } | true';
const FULL = '"$@" > /dev/full';

const inShell = (script: string, ...args: string[]) =>
  runTool(['sh', '-c', script, 'sh', ...nodeCommand(args)], { env });

function lacksFullDevice(t: Test): boolean {
  if (existsSync('/dev/full')) return false;
  t.pass('needs /dev/full', { skip: 'needs /dev/full' });
  return true;
}

t.test('a command whose output nobody reads ends without a word', async (t) => {
  for (const [entry, ...args] of [
    [ENTRIES.relay, 'openapi'],
    [ENTRIES.agent, 'config', 'keys'],
    [ENTRIES.appliance, 'doctor', '--help'],
  ] as const) {
    const { stderr } = await inShell(NEVER_READ, entry, ...args);
    t.equal(stderr, 'exit 0\n', entry);
  }
});

t.test('a command whose output finds no room says so', async (t) => {
  if (lacksFullDevice(t)) return;
  t.match(await inShell(FULL, ENTRIES.relay, 'openapi'), { exitCode: 1, stderr: /^Output was lost: ENOSPC/ });
});

t.test('a log that is not read, or finds no room, ends no program', async (t) => {
  const child = join(import.meta.dirname, 'children', 'log-lines.ts');
  t.equal((await inShell(NEVER_READ, child)).stderr, 'came to its end\nexit 0\n');
  if (lacksFullDevice(t)) return;
  t.match(await inShell(FULL, child), { exitCode: 0, stderr: 'came to its end\n' });
});

t.test('a relay lives on when the reader of its log goes away', async (t) => {
  const dataDir = t.testdir();
  await runProgram('relay', ['init', '--data-dir', dataDir]);
  const args = ['serve', '--data-dir', dataDir, '--port', '0', '--ready-json', '--log-level', 'debug'];
  const [command, ...rest] = nodeCommand([ENTRIES.relay, ...args]);
  const relay = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], env });
  t.teardown(() => relay.kill('SIGKILL'));
  let url = '';
  for await (const line of createInterface({ input: relay.stdout })) {
    ({ url } = JSON.parse(line) as { url: string });
    break;
  }
  relay.stdout.destroy();
  relay.stderr.destroy();
  // Each of these is a line of the log.
  for (let i = 0; i < 20; i++) t.equal((await fetch(`${url}/nowhere`)).status, 404);
  t.equal((await fetch(`${url}/health`)).status, 200);
  const ended = new Promise((resolve) => relay.once('exit', resolve));
  relay.kill('SIGTERM');
  t.equal(await ended, 0, 'and it stops cleanly');
});
