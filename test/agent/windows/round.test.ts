import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import t from 'tap';
import {
  buildScript,
  createLineSplitter,
  createWindowsRound,
  encodeScript,
  parseLine,
  problemOfError,
  SECTION_NAMES,
  type WindowsTools,
  windowsTools,
} from '../../../agent/windows/index.ts';

const CHILD = fileURLToPath(new URL('./children/powershell.ts', import.meta.url));
const none: [string] = ['/nonexistent/tool.exe'];
const node = process.execPath;

const toolsThat = (behaviour: string, log = '', more: Partial<WindowsTools> = {}): WindowsTools => ({
  powershell: [node, CHILD, behaviour, log],
  wmic: none,
  reg: none,
  ...more,
});

t.test('one process answers all sections of a round, and its noise is passed over', async (t) => {
  const log = join(t.testdir(), 'calls');
  const round = createWindowsRound({ sections: ['services', 'hotfixes'], tools: toolsThat('whole', log) });
  t.equal(existsSync(log), false, 'it begins with the first question');
  const [services, hotfixes, again] = await Promise.all([
    round.ask('services'),
    round.ask('hotfixes'),
    round.ask('services'),
  ]);
  t.match(services, { ok: true, source: 'powershell', rows: [{ Name: 'Spooler', State: 'Running' }] });
  t.match(hotfixes, { ok: true, rows: [{ HotFixID: 'KB1' }] }, 'a list wrapped by Windows PowerShell 5.1 is unwrapped');
  t.equal(again, services);
  const calls = readFileSync(log, 'utf8');
  t.equal(calls.match(/-EncodedCommand/g)?.length, 1);
  t.match(calls, /^-NoProfile -NonInteractive -NoLogo -EncodedCommand/);
  t.match(calls, /Section 'services'/);
  t.notMatch(calls, /Section 'bitlocker'/);
  round.close();
});

t.test(
  'a section that was answered is there while a later one still runs, which is late when the time is up',
  async (t) => {
    const round = createWindowsRound({
      sections: ['services', 'updates'],
      tools: toolsThat('hangs-after-services'),
      timeoutMs: 8000,
    });
    t.match(await round.ask('services'), { ok: true });
    const beganMs = performance.now();
    const updates = round.ask('updates');
    round.close();
    t.match(await updates, { ok: false, problem: 'late' });
    t.ok(performance.now() - beganMs < 6000, 'closing ends the process');
    const bounded = createWindowsRound({
      sections: ['updates'],
      tools: toolsThat('hangs-after-services'),
      timeoutMs: 400,
    });
    t.match(await bounded.ask('updates'), { ok: false, problem: 'late' });
  },
);

t.test('more than the agent keeps is read on and dropped, and the next line is found', async (t) => {
  const round = createWindowsRound({ sections: ['services'], tools: toolsThat('talks-without-end') });
  t.match(await round.ask('services'), { ok: true, rows: [{ Name: 'Spooler' }] });
});

t.test(
  'without PowerShell, or where a policy blocks it, the next tool is asked; without that nothing is known',
  async (t) => {
    const blocked = createWindowsRound({ sections: ['services'], tools: toolsThat('blocked') });
    t.match(await blocked.ask('services'), { ok: false, problem: 'no_tool' });
    const missing = createWindowsRound({
      sections: ['services', 'updates'],
      tools: { powershell: none, wmic: none, reg: none },
    });
    t.match(await missing.ask('services'), { ok: false, problem: 'no_tool' });
    t.match(await missing.ask('updates'), { ok: false, problem: 'no_tool' });
    const listing = Buffer.from(
      '\ufeffName=Spooler\r\r\nState=Stopped\r\r\nStartMode=Auto\r\r\nExitCode=0\r\r\n',
      'utf16le',
    );
    const wmic: [string, ...string[]] = [
      node,
      '-e',
      `process.stdout.write(Buffer.from('${listing.toString('hex')}', 'hex'))`,
      '--',
    ];
    const byWmic = createWindowsRound({ sections: ['services'], tools: toolsThat('blocked', '', { wmic }) });
    t.match(await byWmic.ask('services'), { ok: true, source: 'wmic', rows: [{ Name: 'Spooler', State: 'Stopped' }] });
  },
);

t.test('wmic tells why by the code it ends with', async (t) => {
  for (const [code, problem] of [
    [0x8004100e, 'not_there'],
    [0x80041003, 'denied'],
    [0x80041017, 'failed'],
  ] as const) {
    // An exit code has 8 bits here; what wmic prints of its error holds the same number.
    const script = `process.stderr.write('ERREUR : 0x${code.toString(16)}\\r\\n')`;
    const round = createWindowsRound({
      sections: ['bitlocker'],
      tools: toolsThat('blocked', '', { wmic: [node, '-e', script, '--'] }),
    });
    t.match(await round.ask('bitlocker'), { ok: false, problem });
  }
});

t.test('a process that ends in the middle of a line leaves that section unanswered', async (t) => {
  const round = createWindowsRound({ sections: ['services', 'hotfixes'], tools: toolsThat('cut-off') });
  t.match(await round.ask('services'), { ok: true });
  t.match(await round.ask('hotfixes'), { ok: false });
});

t.test(
  'the whole script fits into a command line of Windows and keeps to what the constrained mode allows',
  async (t) => {
    const script = buildScript(SECTION_NAMES);
    t.ok(encodeScript(script).length < 30_000, `${encodeScript(script).length} characters of 32767`);
    t.notMatch(script, /[^\n\t -~]/, 'ASCII');
    t.notMatch(script, /Add-Type|\]::|New-Object (?!-ComObject)|Invoke-Expression|\.ToString\(|\.CommandLine/);
    // Methods of COM objects are called where the mode was found to be full, and nowhere else.
    const methods = script.match(/\.[A-Za-z]+\(/g) ?? [];
    t.strictSame([...new Set(methods)].sort(), ['.CreateUpdateSearcher(', '.Search(']);
    for (const secret of ['GetKeyProtectorNumericalPassword', 'GetKeyProtectorExternalKey', 'CommandLine']) {
      t.notMatch(script, new RegExp(secret));
    }
  },
);

t.test('brackets and quotes of the script are balanced, whatever sections it has', async (t) => {
  fc.assert(
    fc.property(fc.subarray([...SECTION_NAMES], { minLength: 1 }), (sections) => {
      const text = buildScript(sections).replace(/'(?:[^']|'')*'|"(?:[^"`]|`.)*"/g, '');
      let depth = 0;
      for (const char of text) {
        if ('({['.includes(char)) depth += 1;
        if (')}]'.includes(char)) depth -= 1;
        if (depth < 0) return false;
      }
      return depth === 0 && !text.includes("'") && !text.includes('"');
    }),
    { numRuns: 200 },
  );
  t.pass();
});

t.test('errors are told apart by class, code and category, never by their words', async (t) => {
  const cim = 'Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand';
  for (const [error, problem] of [
    [{ id: `HRESULT 0x8004100e,${cim}`, category: 'MetadataError' }, 'not_there'],
    [{ id: `HRESULT 0x80041003,${cim}`, category: 'PermissionDenied' }, 'denied'],
    [{ id: `HRESULT 0x800106ba,${cim}`, category: 'NotSpecified' }, 'service_off'],
    [{ id: 'CommandNotFoundException', category: 'ObjectNotFound' }, 'no_command'],
    [{ id: 'System.Runtime.InteropServices.COMException', category: 'NotSpecified', hresult: '-2147024891' }, 'denied'],
    [{ id: 'X', category: 'PermissionDenied', hresult: '' }, 'denied'],
    [{ id: 'X', category: 'NotSpecified', native: 'InvalidNamespace' }, 'not_there'],
    [{ id: `HRESULT 0x80041014,${cim}`, category: 'NotSpecified' }, 'failed'],
    [{}, 'failed'],
  ] as const) {
    t.equal(problemOfError(error).problem, problem, JSON.stringify(error));
  }
});

t.test('any line is an answer of a known section or none', async (t) => {
  t.equal(parseLine('{"s":"quantum","d":[]}'), undefined);
  t.match(parseLine('{"s":"tpm","d":null}'), { answer: { ok: true, rows: [] } });
  t.match(parseLine('{"s":"tpm","d":"x"}'), { answer: { ok: false, problem: 'odd_answer' } });
  fc.assert(
    fc.property(fc.json(), (json) => {
      parseLine(json);
      parseLine(`{"s":"tpm","d":${json}}`);
      parseLine(`{"s":"tpm","e":${json}}`);
    }),
  );
  t.pass();
});

t.test('lines are the same however the bytes are cut', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 20 })),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      (texts, cuts) => {
        const lines = texts.map((text) => text.replace(/[\r\n]/g, ''));
        const bytes = Buffer.from(lines.map((line) => `${line}\r\n`).join(''));
        const seen: string[] = [];
        const split = createLineSplitter(1000, (line) => seen.push(line));
        let at = 0;
        for (let i = 0; at < bytes.length; i++) {
          const step = cuts[i % cuts.length]!;
          split(bytes.subarray(at, at + step));
          at += step;
        }
        t.strictSame(seen, lines);
      },
    ),
    { numRuns: 100 },
  );
});

t.test('tools of Windows are run by their full path', async (t) => {
  const { powershell, wmic, reg } = windowsTools('D:\\WINNT');
  t.strictSame(powershell, ['D:\\WINNT\\System32\\WindowsPowerShell\\v1.0\\powershell.exe']);
  t.strictSame([wmic[0], reg[0]], ['D:\\WINNT\\System32\\wbem\\WMIC.exe', 'D:\\WINNT\\System32\\reg.exe']);
});
