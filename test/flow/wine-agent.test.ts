import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { skipWithout } from '../helpers/needs.ts';
import { packedAgent } from '../helpers/packed-agent.ts';
import { lastStatuses, launch, liveThrough } from '../helpers/packed-life.ts';
import { startSystem } from '../helpers/system.ts';

/** Wine's service manager runs the first and knows the second. */
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
    // Neither a browser nor .NET is asked for, and no window about them.
    WINEDLLOVERRIDES: 'mscoree,mshtml=',
  };
  t.teardown(() => {
    // Ends what runs in this prefix alone; nothing does when the test failed early.
    spawnSync('/usr/lib/wine/wineserver', ['-k'], { env });
    rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  });
  execFileSync('wine', ['wineboot', '--init'], { env, stdio: 'ignore' });
  execFileSync('wine', ['winecfg', '-v', 'win10'], { env, stdio: 'ignore' });

  const folder = join(dir, 'prefix', 'drive_c', 'Program Files', 'Sitewarden');
  mkdirSync(folder);
  const program = join(folder, 'sitewarden-agent.exe');
  copyFileSync(built, program);
  const programData = join(dir, 'prefix', 'drive_c', 'ProgramData', 'Sitewarden');
  mkdirSync(programData);
  // At the place Windows has for it, so that no option names it.
  writeFileSync(join(programData, 'agent.yaml'), 'overrides:\n  checkIntervalMs: 1000\n  heartbeatIntervalMs: 1000\n');
  const agent = (...args: string[]) => launch(['wine', program, ...args], env, dir);

  const system = await startSystem({ requiredServices: [RUNNING, STOPPED, ABSENT] });
  t.teardown(() => system.close());
  copyFileSync(await system.appliance.makeToken(), join(programData, 'token.json'));
  const reports = await liveThrough(t, {
    system,
    agent,
    tokenFile: 'C:\\ProgramData\\Sitewarden\\token.json',
    stop: async () => {
      t.match(await agent('stop').ended, { code: 0, stdout: 'Stopped.\n' });
    },
  });
  const services = lastStatuses(reports, 'services');
  t.same(Object.keys(services).sort(), [ABSENT, STOPPED, RUNNING].sort());
  t.notMatch(services[STOPPED], 'pass');
  t.notMatch(services[ABSENT], 'pass');
  const bitlocker = lastStatuses(reports, 'bitlocker');
  t.notMatch(Object.values(bitlocker), ['pass'], 'what Wine cannot know is no pass');
});
