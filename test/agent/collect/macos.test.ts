import type { Facts } from '@sitewarden/agent-proto/agent';
import { CHECKS, type CheckName, type CheckStatus } from '@sitewarden/agent-proto/checks';
import fc from 'fast-check';
import t from 'tap';
import { filevaultFacts, parseApfs, parseFdesetup } from '../../../agent/collect/bitlocker/macos.ts';
import { macEngineFacts, newestXprotectMs } from '../../../agent/collect/defender/macos.ts';
import { alfFacts, parseGlobalState } from '../../../agent/collect/firewall/macos.ts';
import { COLLECTORS } from '../../../agent/collect/index.ts';
import { parseSoftwareupdate, softwareupdateFacts } from '../../../agent/collect/patches/macos.ts';
import {
  consoleUid,
  macLockFacts,
  parseDisplaySleep,
  parseScreenLock,
} from '../../../agent/collect/screenlock/macos.ts';
import { recording } from '../helpers/recordings.ts';
import { endsWithStep } from './next-step.ts';

const NOW_MS = Date.UTC(2026, 10, 22);

function judge(check: CheckName, facts: Facts): { status: CheckStatus; actual: string; reason: string } {
  for (const name of Object.keys(facts)) {
    if (!(CHECKS[check].facts as readonly string[]).includes(name)) throw new Error(`${check} has no fact ${name}`);
  }
  const verdict = COLLECTORS.find(({ name }) => name === check)!.evaluate(facts);
  const isFine = verdict.status === 'pass' || verdict.status === 'not_applicable';
  if (!isFine && !endsWithStep(verdict.reason)) throw new Error(`no next step: ${verdict.reason}`);
  return verdict;
}

const APFS = JSON.parse(recording('macos/apfs.json'));

t.test('FileVault: on, off, under way, and a second volume in the clear', async (t) => {
  const table: [string, string, CheckStatus][] = [
    ['FileVault is On.\n', 'on', 'pass'],
    ['FileVault is Off.\n', 'off', 'fail'],
    ['FileVault is Off, but will be enabled after the next restart.\n', 'off', 'fail'],
    ['FileVault is On, but needs to be restarted to finish.\n', 'on', 'fail'],
    ['FileVault is On.\nEncryption in progress: Percent completed = 12.5\n', 'on', 'fail'],
    ['FileVault is Off.\nDecryption in progress: Percent completed = 70\n', 'on', 'fail'],
    ['FileVault is On.\n', 'second', 'fail'],
    ['FileVault is On.\n', 'migrating', 'fail'],
    ['FileVault is On.\n', 'locked', 'unknown'],
    ['FileVault is On.\n', 'nothing', 'unknown'],
    ['FileVault is Off.\n', 'nothing', 'fail'],
    ['FileVault is Off.\n', 'on', 'fail'],
  ];
  for (const [text, apfs, status] of table) {
    const state = parseFdesetup(text)!;
    t.equal(judge('bitlocker', filevaultFacts(state, parseApfs(APFS[apfs]))).status, status, `${text.trim()} ${apfs}`);
  }
  t.match(judge('bitlocker', filevaultFacts('on', parseApfs(APFS.second))).actual, /Archive/);
  t.equal(parseFdesetup('fdesetup: command not understood'), undefined);
});

t.test('XProtect counts while macOS keeps it up to date; another engine stands before it', async (t) => {
  const installedMs = newestXprotectMs(recording('macos/install-history.json'));
  t.equal(installedMs, Date.UTC(2026, 10, 5, 7, 40, 13));
  const processes = '    0 /sbin/launchd\n  501 /Applications/Safari.app/Contents/MacOS/Safari\n';
  const sight = { processes, version: '5325', isAutomatic: true, installedMs, nowMs: NOW_MS };
  t.match(judge('defender', macEngineFacts(sight)), { status: 'pass', actual: /XProtect 5325/ });
  t.match(judge('defender', macEngineFacts({ ...sight, isAutomatic: false })), { status: 'fail' });
  t.match(judge('defender', macEngineFacts({ ...sight, isAutomatic: undefined })), { status: 'unknown' });
  t.match(judge('defender', macEngineFacts({ ...sight, installedMs: undefined })), { status: 'unknown' });
  t.match(judge('defender', macEngineFacts({ ...sight, nowMs: NOW_MS + 90 * 86_400_000 })), { status: 'fail' });
  t.match(judge('defender', macEngineFacts({ ...sight, version: '' })), { status: 'unknown' });
  const falcon = '/Applications/Falcon.app/Contents/Library/SystemExtensions/com.crowdstrike.falcon.Agent';
  t.match(judge('defender', macEngineFacts({ ...sight, processes: `    0 ${falcon}\n` })), {
    status: 'pass',
    actual: 'CrowdStrike Falcon runs',
  });
  t.equal(
    macEngineFacts({ ...sight, processes: `  501 ${falcon}\n` }).engine,
    'Apple XProtect',
    'a person can call a program anything',
  );
});

t.test('the application firewall is told by its number', async (t) => {
  const table: [string, CheckStatus][] = [
    ['Firewall is enabled. (State = 1)\n', 'pass'],
    ['Firewall is blocking all non-essential incoming connections. (State = 2)\n', 'pass'],
    ['Firewall is disabled. (State = 0)\n', 'fail'],
    ['1\n', 'pass'],
  ];
  for (const [text, status] of table) {
    t.equal(judge('firewall', alfFacts(parseGlobalState(text)!, 'Firewall stealth mode is on')).status, status, text);
  }
  t.equal(parseGlobalState('Firewall settings cannot be read.'), undefined);
  t.equal(alfFacts(1, 'Stealth mode disabled').stealth, false);
});

t.test('updates of this macOS and of Safari are owed, an upgrade to the next is not', async (t) => {
  const updates = parseSoftwareupdate(recording('macos/softwareupdate-tahoe.txt'))!;
  t.equal(updates.length, 4);
  const facts = softwareupdateFacts(updates, '26.6');
  t.match(facts, { pending_security: 2, pending_total: 3 });
  t.equal((facts.sample as string[]).includes('macOS 27-26A428'), false);
  t.equal(judge('patches', facts).status, 'fail');
  const none = 'Software Update Tool\n\nFinding available software\nNo new software available.\n';
  t.equal(judge('patches', softwareupdateFacts(parseSoftwareupdate(none)!, '26.7')).status, 'pass');
  for (const text of ['', "Can't connect to the Apple Software Update server", '* Label: X\n\tsomething else']) {
    t.equal(parseSoftwareupdate(text), undefined, 'not knowing is not none');
  }
});

const said = (stdout: string, exitCode = 0, stderr = '') => ({ ok: exitCode === 0, stdout, stderr, exitCode });
const notSet = said('', 1, 'The domain/default pair of (com.apple.screensaver, idleTime) does not exist');
const at = (text: string) => said('', 0, `2026-11-22 09:00:00.000 sysadminctl[512:4711] screenLock ${text}\n`);
const sleepAfter = (minutes: number) =>
  said(
    `System-wide power settings:\nCurrently in use:\n displaysleep         ${minutes} (sleep prevented by Safari)\n disksleep            10\n`,
  );

t.test('the screen of a Mac locks after the first of two times and the delay', async (t) => {
  const table: [string, Parameters<typeof macLockFacts>[0], CheckStatus, number?][] = [
    [
      'saver and at once',
      { lock: at('delay is immediate'), idle: said('300\n'), managed: notSet, power: sleepAfter(10) },
      'pass',
      300,
    ],
    [
      'display and 5 minutes',
      { lock: at('delay is 300 seconds'), idle: notSet, managed: notSet, power: sleepAfter(10) },
      'pass',
      900,
    ],
    [
      'a long delay',
      { lock: at('delay is 3600 seconds'), idle: said('300'), managed: notSet, power: sleepAfter(10) },
      'fail',
      3900,
    ],
    ['off', { lock: at('is off'), idle: said('300'), managed: notSet, power: sleepAfter(10) }, 'fail', 0],
    [
      'minus one is off',
      { lock: at('delay is -1.000000 seconds'), idle: said('300'), managed: notSet, power: sleepAfter(10) },
      'fail',
      0,
    ],
    [
      'never dark',
      { lock: at('delay is immediate'), idle: said('0'), managed: notSet, power: sleepAfter(0) },
      'fail',
      0,
    ],
    ['never set', { lock: at('delay is immediate'), idle: notSet, managed: notSet, power: sleepAfter(0) }, 'unknown'],
    [
      'a profile',
      { lock: at('delay is 5 seconds'), idle: said('0'), managed: said('600\n'), power: sleepAfter(0) },
      'pass',
      605,
    ],
    ['no answer', { lock: said('', 1), idle: said('300'), managed: notSet, power: sleepAfter(10) }, 'unknown'],
  ];
  for (const [title, sight, status, seconds] of table) {
    const facts = macLockFacts(sight);
    t.equal(judge('screenlock', facts).status, status, title);
    if (seconds !== undefined) t.equal(facts.idle_seconds, seconds, title);
  }
  t.equal(consoleUid('501\n'), 501);
  t.equal(consoleUid('root'), undefined);
});

t.test('any text of a tool is read without a fault, and what is not understood is not known', async (t) => {
  fc.assert(
    fc.property(fc.string(), fc.anything(), (text, value) => {
      parseFdesetup(text);
      parseGlobalState(text);
      parseSoftwareupdate(text);
      parseScreenLock(text);
      parseDisplaySleep(text);
      newestXprotectMs(text);
      parseApfs(value);
      newestXprotectMs(JSON.stringify({ SPInstallHistoryDataType: value }) ?? '');
    }),
  );
  t.pass();
});
