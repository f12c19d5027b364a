import { existsSync } from 'node:fs';
import { createSystemdManager, parseSystemdShow } from '@sitewarden/kit/services';
import fc from 'fast-check';
import t from 'tap';

/** As `systemctl show -p LoadState,ActiveState,SubState,Result` of systemd 252 and 255 print them. */
const OUTPUTS: [string, string, string][] = [
  ['a running daemon', 'Result=success\nLoadState=loaded\nActiveState=active\nSubState=running\n', 'running'],
  ['a oneshot that ended well', 'Result=success\nLoadState=loaded\nActiveState=active\nSubState=exited\n', 'running'],
  ['a reloading daemon', 'Result=success\nLoadState=loaded\nActiveState=reloading\nSubState=reload\n', 'running'],
  ['a stopped unit', 'Result=success\nLoadState=loaded\nActiveState=inactive\nSubState=dead\n', 'stopped'],
  ['a stopping unit', 'Result=success\nLoadState=loaded\nActiveState=deactivating\nSubState=stop-sigterm\n', 'stopped'],
  ['a crashed unit', 'Result=exit-code\nLoadState=loaded\nActiveState=failed\nSubState=failed\n', 'failed'],
  ['a unit killed for memory', 'Result=oom-kill\nLoadState=loaded\nActiveState=failed\nSubState=failed\n', 'failed'],
  [
    'between two crashes',
    'Result=exit-code\nLoadState=loaded\nActiveState=activating\nSubState=auto-restart\n',
    'failed',
  ],
  ['a starting unit', 'Result=success\nLoadState=loaded\nActiveState=activating\nSubState=start\n', 'unknown'],
  ['no such unit', 'Result=success\nLoadState=not-found\nActiveState=inactive\nSubState=dead\n', 'not_installed'],
  ['a masked unit', 'Result=success\nLoadState=masked\nActiveState=inactive\nSubState=dead\n', 'stopped'],
  [
    'a unit file with a fault',
    'Result=success\nLoadState=bad-setting\nActiveState=inactive\nSubState=dead\n',
    'failed',
  ],
  ['a timer without Result', 'LoadState=loaded\nActiveState=active\nSubState=waiting\n', 'running'],
  ['nothing', '', 'unknown'],
];

t.test('what systemctl shows is read as a state', async (t) => {
  for (const [name, text, state] of OUTPUTS) t.equal(parseSystemdShow(text).state, state, name);
});

t.test('the words of systemd are kept for people', async (t) => {
  t.equal(parseSystemdShow(OUTPUTS[7]![1]).detail, 'loaded activating auto-restart');
  t.equal(parseSystemdShow(OUTPUTS[5]![1]).detail, 'loaded failed failed (exit-code)');
  t.equal(parseSystemdShow('').detail, 'systemctl said nothing');
});

t.test('the order of the lines does not matter, and any text has a state', async (t) => {
  const shuffled = OUTPUTS[5]![1].trim().split('\n').reverse().join('\r\n');
  t.equal(parseSystemdShow(shuffled).state, 'failed');
  fc.assert(fc.property(fc.string(), (text) => typeof parseSystemdShow(text).state === 'string'));
});

const hasSystemd = existsSync('/run/systemd/system');
const needsNone = hasSystemd ? { skip: 'systemd runs here' } : {};

t.test('where systemd does not run, its manager says so instead of guessing', needsNone, async (t) => {
  const manager = createSystemdManager({ timeoutMs: 5000 });
  t.match(await manager.status('cron'), { state: 'unknown' });
  await t.rejects(manager.restart('cron'), { code: 'SERVICE_MANAGER_FAILED' });
  await t.rejects(manager.restart('--now'), { code: 'SERVICE_NAME_INVALID' });
});
