import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { waitFor } from '../../scripts/lib/wait.ts';
import { skipWithout } from '../helpers/needs.ts';
import { packedAgent } from '../helpers/packed-agent.ts';
import { lastStatuses, launch, liveThrough } from '../helpers/packed-life.ts';
import { startSystem } from '../helpers/system.ts';

/** Wine runs the first and knows the second. */
const [RUNNING, STOPPED, ABSENT] = ['Eventlog', 'BITS', 'sw-none'];

t.test('the Windows agent lives under Wine and loses nothing', async (t) => {
  if (skipWithout(t, { tools: ['wine'] })) return;
  const built = await packedAgent(t, 'win-x64');
  if (built === undefined) return;
  const dir = mkdtempSync(join(tmpdir(), 'sitewarden-wine-'));
  const env = {
    PATH: process.env.PATH,
    HOME: dir,
    WINEPREFIX: join(dir, 'prefix'),
    WINEARCH: 'win64',
    WINEDEBUG: '-all',
  };
  t.teardown(() => {
    // Ends what runs in this prefix alone; nothing does when the test failed early.
    spawnSync('/usr/lib/wine/wineserver', ['-k'], { env });
    rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  });
  execFileSync('wine', ['wineboot', '--init'], { env, stdio: 'ignore' });
  execFileSync('wine', ['winecfg', '-v', 'win10'], { env, stdio: 'ignore' });

  const system = await startSystem({ requiredServices: [RUNNING, STOPPED, ABSENT], agentTier: 0 });
  t.teardown(() => system.close());
  // For some ten seconds after its prefix is made, Wine starts services and no task can be made.
  const startScheduler = () => launch(['wine', 'net', 'start', 'Schedule'], env, dir).ended;
  const isRunning = async () => /already running|was started/.test((await startScheduler()).stdout);
  await waitFor('the task scheduler of Wine', isRunning, 60_000, 500);

  const drive = join(dir, 'prefix', 'drive_c');
  const programData = join(drive, 'ProgramData', 'Sitewarden');
  mkdirSync(programData);
  // At the place Windows has for it, so that no option names it.
  writeFileSync(join(programData, 'agent.yaml'), 'overrides:\n  checkIntervalMs: 1000\n  heartbeatIntervalMs: 1000\n');
  const program = join(drive, 'Program Files', 'Sitewarden', 'sitewarden-agent.exe');
  const task = join(drive, 'windows', 'system32', 'tasks', 'Sitewarden', 'Agent');
  const installed = await launch(['wine', built, 'install'], env, dir).ended;
  t.match(installed, { stderr: '', code: 0, stdout: /schtasks\.exe \/Create/ });
  t.same(readFileSync(program), readFileSync(built), 'the program is in the place of programs');
  t.match(
    readFileSync(task, 'utf8'),
    /<URI>\\Sitewarden\\Agent<\/URI>/,
    'Wine read the task and wrote it in its own words',
  );
  t.match(readFileSync(join(programData, 'agent.yaml'), 'utf8'), /checkIntervalMs/, 'the settings of the owner stay');
  // Wine keeps tasks and runs none, so the test starts the program as the task would.
  const agent = (...args: string[]) => launch(['wine', program, ...args], env, dir);

  copyFileSync(await system.appliance.makeToken(), join(programData, 'token.json'));
  const reports = await liveThrough(t, {
    system,
    agent,
    tokenFile: 'C:\\ProgramData\\Sitewarden\\token.json',
    stop: async () => {
      t.match(await agent('stop').ended, { code: 0, stdout: 'Stopped.\n' });
    },
  });
  // Read through wmic, for there is no PowerShell. In a higher tier the box would have the stopped one started.
  const services = { [RUNNING]: 'pass', [STOPPED]: 'fail', [ABSENT]: 'fail' };
  t.same(lastStatuses(reports, 'services'), services);
  for (const check of ['bitlocker', 'defender', 'firewall', 'patches']) {
    t.same(lastStatuses(reports, check), { '': 'unknown' }, `${check}: what Wine cannot tell is unknown`);
  }

  const gone = await agent('uninstall', '--purge').ended;
  t.match(gone, { stderr: '', code: 0, stdout: /identity, queue and configuration are gone/ });
  t.notOk(existsSync(task));
  t.notOk(existsSync(join(programData, 'agent.yaml')));
  t.same(existsSync(join(programData, 'agent')) ? readdirSync(join(programData, 'agent')) : [], ['native']);
});
