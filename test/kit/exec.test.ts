import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from '@sitewarden/kit/exec';
import t from 'tap';
import { gone } from './children/gone.ts';

const node = process.execPath;

t.test('a tool answers with both outputs and its exit code', async (t) => {
  const result = await runTool([node, '-e', 'console.log("out"); console.error("err"); process.exitCode = 3']);
  t.strictSame(result, {
    ok: false,
    stdout: 'out\n',
    stderr: 'err\n',
    exitCode: 3,
    timedOut: false,
    missing: false,
    truncated: false,
    aborted: false,
  });
  t.ok((await runTool([node, '-e', ''])).ok);
});

t.test('arguments reach the tool as they are, past any shell', async (t) => {
  const hostile = ['$(id)', '`id`', '; id', '| id', '&& id', '"', "'", '\n', '*', '--', '$HOME', ''];
  const result = await runTool([node, '-e', 'console.log(JSON.stringify(process.argv.slice(1)))', '--', ...hostile]);
  t.strictSame(JSON.parse(result.stdout), hostile);
});

t.test('the environment is the C locale, PATH and what was given, nothing else of ours', async (t) => {
  process.env.CANARY_OF_PARENT = 'secret';
  t.teardown(() => delete process.env.CANARY_OF_PARENT);
  const script = 'console.log(JSON.stringify(process.env))';
  const env = JSON.parse((await runTool([node, '-e', script], { env: { EXTRA: '1' } })).stdout);
  t.equal(env.LC_ALL, 'C');
  t.equal(env.PATH, process.env.PATH);
  t.equal(env.EXTRA, '1');
  t.notOk('CANARY_OF_PARENT' in env);
});

t.test('input is handed over, and a tool that ignores it is no fault', async (t) => {
  t.equal((await runTool(['cat'], { input: 'hello' })).stdout, 'hello');
  t.ok((await runTool(['true'], { input: 'x'.repeat(1_000_000) })).ok);
});

t.test('a program that is not there or cannot run is missing', async (t) => {
  t.match(await runTool(['no-such-program-here']), { ok: false, missing: true, exitCode: null });
  const path = join(t.testdir({ script: 'text' }), 'script');
  t.match(await runTool([path]), { ok: false, missing: true });
  t.match(await runTool([node, 'a\0b']), { ok: false, missing: false, exitCode: null });
});

t.test('output beyond the limit is cut, counted as a fault, and does not block the tool', async (t) => {
  const script = 'process.stdout.write("x".repeat(3_000_000))';
  const result = await runTool([node, '-e', script], { maxBytes: 1000 });
  t.match(result, { ok: false, truncated: true, exitCode: 0 });
  t.equal(result.stdout.length, 1000);
});

t.test('at the time limit the whole process group is killed', async (t) => {
  const pidPath = join(t.testdir(), 'pid');
  const script = `
    const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
    require('node:fs').writeFileSync(process.argv[1], String(child.pid));
    setInterval(() => {}, 1000);`;
  const result = await runTool([node, '-e', script, pidPath], { timeoutMs: 5000 });
  t.match(result, { ok: false, timedOut: true, exitCode: null });
  t.ok(await gone(Number(readFileSync(pidPath, 'utf8'))), 'the grandchild too');
});

t.test('an abort kills the tool, also before it began', async (t) => {
  const controller = new AbortController();
  const running = runTool(['sleep', '60'], { signal: controller.signal });
  setImmediate(() => controller.abort());
  t.match(await running, { ok: false, aborted: true, timedOut: false });
  t.match(await runTool(['true'], { signal: AbortSignal.abort() }), { ok: false, aborted: true });
});

t.test('a daemon left behind with the pipes open does not hold the answer back', async (t) => {
  const script = `
    const child = require('node:child_process').spawn('sleep', ['60'], { stdio: 'inherit', detached: true });
    console.log(child.pid); child.unref(); process.exit(0);`;
  const result = await runTool([node, '-e', script], { timeoutMs: 20_000 });
  process.kill(Number(result.stdout), 'SIGKILL');
  t.match(result, { ok: true, exitCode: 0, timedOut: false });
});
