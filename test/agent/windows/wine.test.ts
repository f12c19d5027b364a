import { runTool } from '@sitewarden/kit/exec';
import t from 'tap';
import { matchRmm, takeWindowsInventory } from '../../../agent/rmm/index.ts';
import { askRegistry, createWindowsRound, type WindowsTools } from '../../../agent/windows/index.ts';
import { skipWithout } from '../../helpers/needs.ts';
import { startWine } from '../../helpers/wine.ts';

t.setTimeout(180_000);

t.test('without PowerShell, services and the registry of a Windows are read by its own wmic and reg', async (t) => {
  if (skipWithout(t, { tools: ['wine'] })) return;
  const wine = startWine(t);
  const tools: WindowsTools = {
    // Wine's says nothing and ends well, as one that a policy keeps from speaking.
    powershell: wine('powershell.exe'),
    wmic: wine('wmic'),
    reg: wine('reg'),
  };
  const write = async (...words: string[]) => {
    const [program, ...first] = tools.reg;
    const result = await runTool([program, ...first, 'add', ...words, '/f'], { timeoutMs: 60_000, input: '' });
    t.equal(result.exitCode, 0, result.stderr);
  };
  const UNINSTALL = 'HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall';
  await write(`${UNINSTALL}\\{A8C1F2B0-0000-4000-8000-000000000001}`, '/v', 'DisplayName', '/d', 'Datto RMM');
  await write(`${UNINSTALL}\\{A8C1F2B0-0000-4000-8000-000000000001}`, '/v', 'DisplayVersion', '/d', '4.4.2195');
  await write(
    'HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System',
    '/v',
    'InactivityTimeoutSecs',
    '/t',
    'REG_DWORD',
    '/d',
    '600',
  );

  const round = createWindowsRound({ sections: ['services'], tools });
  const services = await round.ask('services');
  if (!services.ok) throw new Error(`services: ${services.problem} ${services.code}`);
  t.equal(services.source, 'wmic');
  t.match(
    services.rows.find(({ Name }) => Name === 'PlugPlay'),
    { State: 'Running' },
  );

  t.match(await round.ask('programs'), {
    ok: true,
    source: 'registry',
    rows: [{ DisplayName: 'Datto RMM', DisplayVersion: '4.4.2195' }],
  });
  t.match(await round.ask('screenlock'), { ok: true, rows: [{ Kind: 'machine', InactivityTimeoutSecs: 600 }] });
  t.match(await round.ask('reboot'), { ok: true, rows: [{ IsOwed: false }, { IsOwed: false }] });
  t.match(await round.ask('bitlocker'), { ok: false }, 'Wine has no such namespace');
  t.match(await round.ask('updates'), { ok: false, problem: 'no_tool' });
  round.close();

  const gone = await askRegistry('HKLM\\SOFTWARE\\Nobody\\Here', { tools, signal: new AbortController().signal });
  t.strictSame(gone, { ok: true, keys: [] });

  const found = matchRmm(await takeWindowsInventory({ tools }));
  t.match(found, [{ product: 'Datto RMM', version: '4.4.2195', running: false, foundBy: 'registry' }]);
});
