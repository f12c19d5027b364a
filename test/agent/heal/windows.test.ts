import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ToolResult } from '@sitewarden/kit/exec';
import { runTool } from '@sitewarden/kit/exec';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import {
  CHANGE_NAMES,
  type ChangeName,
  changeScript,
  changeTools,
  encodeScript,
  parseChange,
  runChange,
} from '../../../agent/windows/index.ts';
import { makeMender, recordingHost, sights } from '../helpers/mender.ts';

const CHILD = fileURLToPath(new URL('../windows/children/powershell.ts', import.meta.url));
const SYSTEM = 'C:\\Windows\\System32';
const running = async () => ({ state: 'running', detail: '' }) as const;
const services = (
  status: () => Promise<{ state: 'running' | 'stopped' | 'not_installed'; detail: string }> = running,
) => {
  const started: string[] = [];
  const start = async (name: string) => void started.push(name);
  return { started, manager: { kind: 'windows', status, start, restart: start, stop: start } as const };
};
const line = (name: ChangeName, row: object): Partial<ToolResult> => ({
  stdout: `A profile that talks\r\n${JSON.stringify({ s: name, d: [row] })}\r\n`,
});
/** Which of our scripts an argv holds. */
const scriptOf = (argv: readonly string[]) =>
  CHANGE_NAMES.find((name) => argv.at(-1) === encodeScript(changeScript(name)));
const answers = (rows: Partial<Record<ChangeName, object>>) => (argv: readonly string[]) => {
  const name = scriptOf(argv);
  return name === undefined ? {} : line(name, rows[name] ?? {});
};

t.test('each profile that is off is turned on by netsh, and undo turns off those and no others', async (t) => {
  const off = { facts: { technology: 'windows', active: true, profiles_off: ['private', 'public'] } };
  const on = { status: 'pass' as const, facts: { technology: 'windows', active: true, profiles_off: [] } };
  const host = recordingHost('win32');
  const { manager, started } = services();
  const mender = makeMender({ dir: t.testdir(), host, services: manager, look: sights(off, on, on, off) });
  t.match(await mender.give('firewall_on', {}, 'ord_on'), {
    state: 'done',
    before: { profiles_off: ['private', 'public'] },
  });
  t.match(await mender.give('undo', { order_id: 'ord_on' }), {
    state: 'done',
    after: { profiles_off: ['private', 'public'] },
  });
  const netsh = (profile: string, state: string) => [
    `${SYSTEM}\\netsh.exe`,
    'advfirewall',
    'set',
    profile,
    'state',
    state,
  ];
  t.strictSame(
    host.calls.map(({ argv }) => argv),
    [
      netsh('privateprofile', 'on'),
      netsh('publicprofile', 'on'),
      netsh('privateprofile', 'off'),
      netsh('publicprofile', 'off'),
    ],
  );
  t.strictSame(started, []);
  await mender.stop();
});

t.test('a firewall of another maker and a group policy are not fought', async (t) => {
  const host = recordingHost('win32');
  const other = { facts: { technology: 'third_party', active: false, profiles_off: ['public'], probe_error: 'x' } };
  const one = makeMender({ dir: t.testdir({ a: {} }), host, services: services().manager, look: sights(other) });
  t.match(await one.give('firewall_on'), { state: 'refused', code: 'RULED_ELSEWHERE' });
  await one.stop();
  t.strictSame(host.calls, []);
  const off = { facts: { technology: 'windows', active: false, profiles_off: ['domain', 'private', 'public'] } };
  const stopped = services(async () => ({ state: 'stopped', detail: '' }));
  const two = makeMender({ dir: t.testdir({ b: {} }), host, services: stopped.manager, look: sights(off) });
  t.match(await two.give('firewall_on'), { state: 'failed', code: 'ACTION_NOT_VERIFIED', detail: /group policy/ });
  t.strictSame(stopped.started, ['mpssvc']);
  await two.stop();
});

t.test('Defender is started and its real-time protection turned on, unless another engine is the one', async (t) => {
  const facts = { engine: 'Microsoft Defender', reported_by: 'defender', engines_found: ['Microsoft Defender'] };
  const asleep = { facts: { ...facts, engine_running: false, realtime: false } };
  const awake = { status: 'pass', facts: { ...facts, engine_running: true, realtime: true } } as const;
  const host = recordingHost('win32', answers({ realtime_on: { Done: true } }));
  const { manager, started } = services(async () => ({ state: 'stopped', detail: '' }));
  const mender = makeMender({ dir: t.testdir({ a: {} }), host, services: manager, look: sights(asleep, awake) });
  t.match(await mender.give('defender_start'), { state: 'done', after: { realtime: true } });
  t.strictSame(started, ['WinDefend']);
  t.strictSame(
    host.calls.map(({ argv }) => scriptOf(argv)),
    ['realtime_on'],
  );
  t.match(await mender.give('defender_start'), { state: 'done', detail: /^Nothing to do/ });
  await mender.stop();
  const sophos = { facts: { engine: 'Sophos', engine_running: true, realtime: false, reported_by: 'security_center' } };
  const two = makeMender({ dir: t.testdir({ b: {} }), host, services: manager, look: sights(sophos) });
  t.match(await two.give('defender_start'), { state: 'refused', code: 'RULED_ELSEWHERE', detail: /^Sophos/ });
  await two.stop();
});

t.test('protection that was suspended is resumed for each drive', async (t) => {
  const open = { facts: { technology: 'bitlocker', unprotected_volumes: ['C:', 'D:', 'volume without a letter'] } };
  const shut = { facts: { technology: 'bitlocker', unprotected_volumes: ['volume without a letter'] } };
  const host = recordingHost('win32');
  const mender = makeMender({ dir: t.testdir({ a: {} }), host, look: sights(open, shut) });
  t.match(await mender.give('bitlocker_resume'), { state: 'done' });
  t.strictSame(
    host.calls.map(({ argv }) => argv),
    ['C:', 'D:'].map((drive) => [`${SYSTEM}\\manage-bde.exe`, '-protectors', '-enable', drive]),
  );
  await mender.stop();
  const linux = makeMender({ dir: t.testdir({ b: {} }), host: recordingHost('linux'), look: sights(open) });
  t.match(await linux.give('bitlocker_resume'), {
    state: 'refused',
    code: 'ACTION_NOT_POSSIBLE',
    detail: /by hand\.$/,
  });
  await linux.stop();
});

t.test('updates: the end of the window reaches the script as data, and its answer decides', async (t) => {
  const before = { facts: { manager: 'windows_update', pending_security: 3, reboot_required: false } };
  const restart = { facts: { manager: 'windows_update', pending_security: 1, reboot_required: true } };
  const hour = { window_start_ms: Date.now() - 1000, window_end_ms: Date.now() + 3_600_000 };
  const give = async (t: Test, row: object, after: Parameters<typeof sights>[0]) => {
    const host = recordingHost('win32', answers({ install_updates: row }));
    const mender = makeMender({ dir: t.testdir({ d: {} }), host, look: sights(before, after) });
    const answer = await mender.give('security_updates_install', hour);
    await mender.stop();
    return { answer, calls: host.calls };
  };
  await t.test('all in, a restart is pending', async (t) => {
    const { answer, calls } = await give(t, { Mode: 'full', Installed: 3, Late: false, Reboot: true }, restart);
    t.match(answer, { state: 'done', detail: /A restart is pending; the agent does not restart/ });
    const params = JSON.parse(calls[0]!.options.env!.SITEWARDEN_PARAMS!);
    t.ok(params.seconds > 3500 && params.seconds <= 3600);
    t.strictSame(Object.keys(params), ['seconds']);
    t.equal(scriptOf(calls[0]!.argv), 'install_updates');
  });
  await t.test('the window ended', async (t) => {
    const { answer } = await give(t, { Mode: 'full', Installed: 2, Late: true, Reboot: false }, restart);
    t.match(answer, { state: 'failed', code: 'WINDOW_ENDED', detail: /^2 of 3 were installed/ });
  });
  await t.test('PowerShell is confined', async (t) => {
    const { answer } = await give(t, { Mode: 'constrained' }, before);
    t.match(answer, { state: 'failed', code: 'ACTION_NOT_POSSIBLE', detail: /Device Guard/ });
  });
  await t.test('some stay', async (t) => {
    const { answer } = await give(t, { Mode: 'full', Installed: 2, Failed: 1, Late: false, Reboot: false }, before);
    t.match(answer, { state: 'failed', code: 'ACTION_NOT_VERIFIED' });
  });
});

t.test('the scripts keep to what the agent allows itself, and hold no word of an order', async (t) => {
  for (const name of CHANGE_NAMES) {
    const script = changeScript(name);
    t.ok(encodeScript(script).length < 30_000, name);
    t.notMatch(script, /[^\n\t -~]/, 'ASCII');
    t.notMatch(
      script,
      /Add-Type|\]::|New-Object (?!-ComObject)|Invoke-Expression|iex|Start-Process|Restart-Computer|shutdown/i,
    );
    const text = script.replace(/'(?:[^']|'')*'|"(?:[^"`]|`.)*"/g, '');
    let depth = 0;
    for (const char of text) depth += '({['.includes(char) ? 1 : ')}]'.includes(char) ? -1 : 0;
    t.equal(depth, 0, `${name}: brackets`);
    t.notMatch(text, /['"]/, `${name}: quotes`);
  }
  // COM is there in the full mode only, and asked for nowhere else.
  for (const name of ['realtime_on', 'signatures'] as const) t.notMatch(changeScript(name), /ComObject/);
  for (const name of ['search_updates', 'install_updates'] as const) {
    t.ok(changeScript(name).indexOf('FullLanguage') < changeScript(name).indexOf('ComObject'));
  }
  const source = readFileSync(new URL('../../../agent/collect/patches/windows.ts', import.meta.url), 'utf8');
  const [, list] = /SECURITY_CATEGORIES[^=]*= \[([\s\S]*?)\];/.exec(source)!;
  for (const [id] of list!.matchAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g)) {
    t.match(changeScript('install_updates'), id, 'what the check counts is what is installed');
  }
});

t.test(
  'a process gets the script as it is and the parameters beside it; what it says without our line is nothing',
  async (t) => {
    const log = join(t.testdir(), 'calls');
    const tools = (behaviour: string) => ({
      ...changeTools(),
      powershell: [process.execPath, CHILD, behaviour, log] as [string, ...string[]],
    });
    const { signal } = new AbortController();
    const call = { params: { seconds: 5 }, timeoutMs: 20_000, signal, run: runTool };
    t.match(await runChange('signatures', { ...call, tools: tools('blocked') }), { ok: false, problem: 'no_tool' });
    t.match(await runChange('signatures', { ...call, tools: tools('whole') }), { ok: false, problem: 'no_tool' });
    t.match(readFileSync(log, 'utf8'), /^-NoProfile -NonInteractive -NoLogo -EncodedCommand[\s\S]*Update-MpSignature/);
    const late = await runChange('signatures', { ...call, tools: tools('hangs-after-services'), timeoutMs: 500 });
    t.match(late, { ok: false, problem: 'late' });
    t.match(parseChange('signatures', '{"s":"signatures","e":{"category":"PermissionDenied"}}'), { problem: 'denied' });
    t.match(parseChange('signatures', '{"s":"signatures","d":7}'), { problem: 'odd_answer' });
    t.match(parseChange('signatures', '{"s":"signatures","d":{"Done":true}}'), { ok: true, row: { Done: true } });
    fc.assert(
      fc.property(fc.json(), fc.string(), (json, text) => {
        parseChange('signatures', `${text}\n{"s":"signatures","d":${json}}\n{"s":"signatures","e":${json}}`);
      }),
    );
  },
);

t.test('macOS is told by its own tools', async (t) => {
  const host = recordingHost('darwin');
  const off = { facts: { technology: 'alf', active: false } };
  const on = { status: 'pass', facts: { technology: 'alf', active: true } } as const;
  const mender = makeMender({ dir: t.testdir(), host, look: sights(off, on, on, off) });
  t.match(await mender.give('firewall_on', {}, 'ord_on'), { state: 'done' });
  t.match(await mender.give('undo', { order_id: 'ord_on' }), { state: 'done' });
  const alf = '/usr/libexec/ApplicationFirewall/socketfilterfw';
  t.strictSame(
    host.calls.map(({ argv }) => argv),
    [
      [alf, '--setglobalstate', 'on'],
      [alf, '--setglobalstate', 'off'],
    ],
  );
  for (const action of ['defender_start', 'screenlock_policy', 'bitlocker_resume']) {
    const params = action === 'screenlock_policy' ? { idle_seconds: 600 } : {};
    t.match(await mender.give(action, params), { state: 'refused', code: 'ACTION_NOT_POSSIBLE' }, action);
  }
  await mender.stop();
});
