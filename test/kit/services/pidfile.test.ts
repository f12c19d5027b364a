import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isProcessAlive } from '@sitewarden/kit/files';
import { createPidfileManager } from '@sitewarden/kit/services';
import t, { type Test } from 'tap';
import { ended } from '../children/spawn.ts';
import { waitUntil } from '../children/wait-until.ts';

const daemon = new URL('../children/daemon.ts', import.meta.url).pathname;

function setUp(t: Test, options: { manner?: string; timeoutMs?: number } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'sitewarden-pidfile-'));
  const pidFile = join(dir, 'web.pid');
  const journal = join(dir, 'journal');
  const manner = options.manner === undefined ? [] : [options.manner];
  writeFileSync(
    join(dir, 'web.json'),
    JSON.stringify({ command: [process.execPath, daemon, journal, ...manner], pidFile }),
  );
  const manager = createPidfileManager({ dir, timeoutMs: options.timeoutMs ?? 10_000 });
  const pid = () => Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  t.teardown(() => {
    const starts = existsSync(journal) ? readFileSync(journal, 'utf8').matchAll(/start (\d+)/g) : [];
    for (const [, started] of starts) if (isProcessAlive(Number(started))) process.kill(Number(started), 'SIGKILL');
    rmSync(dir, { recursive: true });
  });
  const hasNoted = (text: string) =>
    waitUntil(() => existsSync(journal) && readFileSync(journal, 'utf8').includes(text));
  return { dir, pidFile, journal, manager, pid, hasNoted };
}

t.test('a declared service starts, restarts as another process, and stops', async (t) => {
  const { manager, pid, pidFile, hasNoted } = setUp(t);
  t.equal((await manager.status('web')).state, 'stopped');
  await manager.start('web');
  t.match(await manager.status('web'), { state: 'running', detail: `pid ${pid()}` });
  const first = pid();
  await hasNoted(`start ${first}`);
  await manager.start('web');
  t.equal(pid(), first, 'starting what runs changes nothing');
  await manager.restart('web');
  t.not(pid(), first);
  await waitUntil(() => !isProcessAlive(first));
  await hasNoted(`term ${first}`);
  const second = pid();
  await manager.stop('web');
  await waitUntil(() => !isProcessAlive(second));
  t.notOk(existsSync(pidFile));
  t.equal((await manager.status('web')).state, 'stopped');
  await manager.stop('web');
});

t.test('a daemon that died by itself is failed, and a restart brings it back', async (t) => {
  const { manager, pid, journal, hasNoted } = setUp(t);
  await manager.start('web');
  await hasNoted('start');
  writeFileSync(`${journal}.end`, '');
  await waitUntil(async () => (await manager.status('web')).state === 'failed');
  t.match(await manager.status('web'), { state: 'failed', detail: /is gone and left its pid file/ });
  await manager.restart('web');
  t.match(await manager.status('web'), { state: 'running', detail: `pid ${pid()}` });
});

t.test('another process of the same pid is not the daemon and is not harmed', async (t) => {
  const { manager, pidFile, pid } = setUp(t);
  await manager.start('web');
  const [, identity] = readFileSync(pidFile, 'utf8').split('\n');
  const real = pid();
  const bystander = spawn('sleep', ['60']);
  t.teardown(() => bystander.kill('SIGKILL'));
  writeFileSync(pidFile, `${bystander.pid}\n${identity}\n`);
  t.equal((await manager.status('web')).state, 'failed');
  await manager.stop('web');
  t.ok(isProcessAlive(bystander.pid!));
  process.kill(real, 'SIGKILL');
  for (const text of ['', 'x', '1\n\n', '-1\nx\n', '0', `${process.pid}\n`, '9'.repeat(400)]) {
    writeFileSync(pidFile, text);
    t.not((await manager.status('web')).state, 'running', JSON.stringify(text.slice(0, 10)));
  }
});

t.test('a daemon that ignores SIGTERM is killed within the time limit', async (t) => {
  const { manager, pid, hasNoted } = setUp(t, { manner: 'stubborn', timeoutMs: 800 });
  await manager.start('web');
  const stubborn = pid();
  await hasNoted('start');
  await manager.stop('web');
  await waitUntil(() => !isProcessAlive(stubborn));
  await hasNoted(`term ${stubborn}`);
});

t.test('a command that ends at once or does not exist is a failed start', async (t) => {
  const { manager, dir } = setUp(t, { manner: 'brief' });
  writeFileSync(
    join(dir, 'none.json'),
    JSON.stringify({ command: ['/no/such/program'], pidFile: join(dir, 'none.pid') }),
  );
  writeFileSync(join(dir, 'ends.json'), JSON.stringify({ command: ['false'], pidFile: join(dir, 'ends.pid') }));
  await t.rejects(manager.start('none'), { code: 'SERVICE_MANAGER_FAILED', message: /ENOENT/ });
  await t.rejects(manager.start('ends'), { code: 'SERVICE_MANAGER_FAILED', message: /ended as soon as/ });
});

t.test('a pid file that cannot be written leaves no daemon running', async (t) => {
  const { manager, dir, journal } = setUp(t);
  writeFileSync(
    join(dir, 'odd.json'),
    JSON.stringify({ command: [process.execPath, daemon, journal], pidFile: join(dir, 'none/odd.pid') }),
  );
  await t.rejects(manager.start('odd'), { code: 'SERVICE_MANAGER_FAILED', message: /cannot be written/ });
  const pids = existsSync(journal)
    ? [...readFileSync(journal, 'utf8').matchAll(/start (\d+)/g)].map((m) => Number(m[1]))
    : [];
  await waitUntil(() => pids.every((pid) => !isProcessAlive(pid)));
});

t.test('two starts at once make one daemon', async (t) => {
  const { manager, journal, pid, hasNoted } = setUp(t);
  await Promise.all([manager.start('web'), manager.start('web'), manager.start('web')]);
  await hasNoted(`start ${pid()}`);
  t.equal(readFileSync(journal, 'utf8').match(/start/g)?.length, 1);
});

t.test('an action called off does nothing', async (t) => {
  const { manager } = setUp(t);
  await t.rejects(manager.start('web', { signal: AbortSignal.abort() }), { code: 'SERVICE_ACTION_ABORTED' });
  t.equal((await manager.status('web')).state, 'stopped');
});

t.test('bad names never reach the file system', async (t) => {
  const { manager, dir } = setUp(t);
  writeFileSync(join(dir, '..json'), '{}');
  const names = [
    '',
    '-web',
    '../web',
    'a/b',
    'a b',
    'web;id',
    '$(id)',
    'a\0b',
    'x'.repeat(65),
    'wéb',
    '.',
    '..',
    'web\n',
  ];
  for (const name of names) {
    for (const verb of ['status', 'start', 'restart', 'stop'] as const) {
      await t.rejects(
        async () => void (await manager[verb](name)),
        { code: 'SERVICE_NAME_INVALID', field: 'service' },
        JSON.stringify(name),
      );
    }
  }
  t.equal((await manager.status('unknown')).state, 'not_installed');
  await t.rejects(manager.restart('unknown'), { code: 'SERVICE_UNKNOWN' });
});

t.test('a bad declaration is refused and names its field', async (t) => {
  const { manager, dir } = setUp(t);
  const pidFile = join(dir, 'x.pid');
  const bad: [unknown, string | undefined][] = [
    ['text', undefined],
    [{ command: 'sleep 5', pidFile }, 'command'],
    [{ command: [], pidFile }, 'command'],
    [{ command: ['sleep', 5], pidFile }, 'command'],
    [{ command: ['a\0b'], pidFile }, 'command'],
    [{ command: ['sleep', '5'], pidFile: 'relative.pid' }, 'pidFile'],
    [{ command: ['sleep', '5'] }, 'pidFile'],
    [{ command: ['sleep', '5'], pidFile, shell: true }, 'shell'],
  ];
  for (const [declaration, field] of bad) {
    writeFileSync(join(dir, 'bad.json'), JSON.stringify(declaration));
    await t.rejects(manager.start('bad'), { code: 'SERVICE_DECLARATION_INVALID', ...(field && { field }) });
  }
  writeFileSync(join(dir, 'bad.json'), '{not json');
  await t.rejects(manager.status('bad'), { code: 'SERVICE_DECLARATION_INVALID' });
});

t.test('the daemon outlives the process that started it', async (t) => {
  const { dir, pid, manager } = setUp(t);
  const script = `import { createPidfileManager } from '@sitewarden/kit/services';
    await createPidfileManager({ dir: process.argv[1] }).start('web');`;
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script, dir], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: new URL('..', import.meta.url).pathname,
  });
  t.equal(await ended(starter), 0);
  t.match(await manager.status('web'), { state: 'running', detail: `pid ${pid()}` });
});
