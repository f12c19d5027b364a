import { readFileSync } from 'node:fs';
import {
  createLaunchdManager,
  createWindowsServices,
  parseLaunchctlPrint,
  parseScQuery,
} from '@sitewarden/kit/services';
import fc from 'fast-check';
import t from 'tap';
import { skipWithout } from '../../helpers/needs.ts';
import { startWine } from '../../helpers/wine.ts';

const node = process.execPath;
const recording = (name: string) => readFileSync(new URL(`./recordings/${name}`, import.meta.url), 'utf8');
/** A program that answers as a service manager does: prints and ends as told, whatever it is asked. */
const answers = (stdout: string, exitCode: number): [string, ...string[]] => [
  node,
  '-e',
  `process.stdout.write(${JSON.stringify(stdout)}); process.exitCode = ${exitCode}`,
];

t.test('sc is read by its numbers and states, whatever the language of its labels', async (t) => {
  t.strictSame(parseScQuery(recording('sc-de.txt')), { state: 'running', detail: 'RUNNING' });
  t.strictSame(parseScQuery(recording('sc-fr-crashed.txt')), {
    state: 'failed',
    detail: 'STOPPED (exit code 1067)',
  });
  t.equal(parseScQuery('[SC] EnumQueryServicesStatus:OpenService FEHLER 1060:'), undefined);
});

t.test('a state on its way is neither running nor stopped', async (t) => {
  for (const [word, code, state] of [
    ['START_PENDING', 2, 'unknown'],
    ['STOP_PENDING', 3, 'unknown'],
    ['PAUSED', 7, 'stopped'],
    ['STOPPED', 1, 'stopped'],
  ] as const) {
    t.equal(parseScQuery(`        STATE   : ${code}  ${word} \r\n        X : 1077  (0x435)\r\n`)?.state, state, word);
  }
});

t.test('a service that Windows does not have is not installed; a refusal leaves its state unknown', async (t) => {
  const gone = createWindowsServices({ sc: answers('[SC] ... FAILED 1060:\r\n', 36) });
  t.equal((await gone.status('Spooler')).state, 'not_installed');
  const refused = createWindowsServices({ sc: answers('[SC] OpenService FEHLER 5:\r\n\r\nZugriff verweigert\r\n', 5) });
  t.equal((await refused.status('Spooler')).state, 'unknown');
  await t.rejects(gone.start('Spooler'), { code: 'SERVICE_UNKNOWN' });
  await t.rejects(refused.restart('Spooler'), { code: 'SERVICE_MANAGER_FAILED' });
  await t.rejects(gone.status('../x'), { code: 'SERVICE_NAME_INVALID' });
});

t.test('launchd jobs are read by their own fields, not by those of their parts', async (t) => {
  t.strictSame(parseLaunchctlPrint(recording('launchctl-running.txt')), { state: 'running', detail: 'running' });
  t.strictSame(parseLaunchctlPrint(recording('launchctl-failed.txt')), {
    state: 'failed',
    detail: 'not running (last exit code 78)',
  });
  t.equal(parseLaunchctlPrint('x = {\n\tstate = not running\n\tlast exit code = (never exited)\n}')?.state, 'stopped');
  t.equal(parseLaunchctlPrint('x = {\n\tstate = spawn scheduled\n}')?.state, 'unknown');
  t.equal(parseLaunchctlPrint('Could not find service "x" in domain for system'), undefined);
});

t.test('a job that launchd does not have is not installed', async (t) => {
  const manager = createLaunchdManager({ launchctl: answers('', 113) });
  t.equal((await manager.status('com.example.none')).state, 'not_installed');
  await t.rejects(manager.restart('com.example.none'), { code: 'SERVICE_UNKNOWN' });
});

t.test('any text gives a state or none', async (t) => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseScQuery(text);
      parseLaunchctlPrint(text);
    }),
  );
  t.pass();
});

t.test('services of a Windows (Wine) are seen by sc.exe', async (t) => {
  if (skipWithout(t, { tools: ['wine'] })) return;
  const manager = createWindowsServices({ sc: startWine(t)('sc'), timeoutMs: 60_000 });
  t.equal((await manager.status('PlugPlay')).state, 'running');
  t.not((await manager.status('NoSuchService')).state, 'running');
});
