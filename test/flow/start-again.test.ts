import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { processIdentity } from '@sitewarden/kit/services';
import t, { type Test } from 'tap';
import type { ENTRIES } from '../../scripts/lib/programs.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { readRemembered } from '../../scripts/start/remembered.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const READY_MS = 120_000;

interface Ready {
  relayUrl: string;
  siteId: string;
  pids: Record<keyof typeof ENTRIES, number>;
}

/** `npm start` as people and harnesses start it; ended by the test if it is still there at its end. */
function npmStart(t: Test, dataDir: string) {
  const { NODE_OPTIONS: _options, ...env } = process.env;
  const argv = ['start', '--silent', '--', '--json', '--data-dir', dataDir];
  const npm: ChildProcess = spawn('npm', argv, { cwd: ROOT, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const err: string[] = [];
  createInterface({ input: npm.stderr! }).on('line', (line) => err.push(line));
  const first = new Promise<Record<string, unknown>>((resolve, reject) => {
    createInterface({ input: npm.stdout! }).once('line', (line) => resolve(JSON.parse(line)));
    npm.once('exit', (code) => setTimeout(() => reject(new Error(`ended with ${code}:\n${err.join('\n')}`)), 500));
    setTimeout(() => reject(new Error(`not ready:\n${err.join('\n')}`)), READY_MS).unref();
  });
  const exited = new Promise<number | null>((resolve) => npm.once('exit', resolve));
  t.teardown(() => {
    if (npm.exitCode === null && npm.signalCode === null) process.kill(-npm.pid!, 'SIGKILL');
  });
  return { pid: npm.pid!, err, first, exited };
}

const allGone = (pids: readonly number[]) => async () =>
  (await Promise.all(pids.map((pid) => processIdentity(pid)))).every((identity) => identity === undefined);

t.test('stopped on its way, started twice, killed: the next start on the same folder is a good one', async (t) => {
  const dataDir = join(t.testdir(), 'data');
  const zero = npmStart(t, dataDir);
  zero.first.catch(() => {});
  const noted = () => readRemembered(dataDir)?.programs?.find(({ name }) => name === 'appliance');
  const { pid } = await waitFor('the appliance', noted, READY_MS, 5);
  process.kill(zero.pid, 'SIGTERM');
  await zero.exited;
  await waitFor('the end of the appliance that was still on its way', allGone([pid]), 30_000);

  const one = npmStart(t, dataDir);
  const before = (await one.first) as unknown as Ready;
  t.equal((before as unknown as { ready: boolean }).ready, true);
  const beside = npmStart(t, dataDir);
  t.match(await beside.first, { ready: false, code: 'ALREADY_STARTED', message: /give another --data-dir/ });
  await beside.exited;
  for (const [name, pid] of Object.entries(before.pids)) t.ok(await processIdentity(pid), `${name} runs on`);
  process.kill(-one.pid, 'SIGKILL');
  await one.exited;
  const left = Object.values(before.pids);

  const two = npmStart(t, dataDir);
  const after = (await two.first) as unknown as Ready;
  t.equal((after as unknown as { ready: boolean }).ready, true);
  t.equal(after.siteId, before.siteId, 'the same site, not another claim');
  t.equal(after.relayUrl, before.relayUrl);
  t.ok(await allGone(left)(), 'nothing of the killed start runs beside it');

  process.kill(two.pid, 'SIGTERM');
  await two.exited;
  await waitFor('the end of all programs', allGone(Object.values(after.pids)), 30_000);
});

t.test('what it cannot work with is told with a code, the place and the next step', async (t) => {
  const base = t.testdir({
    damaged: { 'start.json': '{oops' },
    ports: { 'start.json': '{"ports":{"relay":"x","local":1,"intake":1},"runs":1}' },
    file: '',
  });
  for (const [dataDir, code, words] of [
    [join(base, 'damaged'), 'START_STATE_DAMAGED', 'start.json is not JSON'],
    [join(base, 'ports'), 'START_STATE_DAMAGED', '/ports/relay'],
    [join(base, 'file'), 'FILE_NOT_DIRECTORY', 'file'],
  ] as const) {
    const answer = await npmStart(t, dataDir).first;
    t.match(answer, { ready: false, code });
    t.match(String(answer.message), words);
  }
});
