import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { packedAgent } from '../helpers/packed-agent.ts';
import { lastStatuses, launch, liveThrough } from '../helpers/packed-life.ts';
import { startSystem } from '../helpers/system.ts';

t.test('the one-file agent lives on Linux with nothing beside it: no Node, no packages, no PATH', async (t) => {
  const built = await packedAgent(t, process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64');
  if (built === undefined) return;
  const dir = mkdtempSync(join(tmpdir(), 'sitewarden-packed-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const program = join(dir, 'sitewarden-agent');
  copyFileSync(built, program);
  const dataDir = join(dir, 'data');
  const config = join(dir, 'agent.yaml');
  writeFileSync(config, `dataDir: ${dataDir}\noverrides:\n  checkIntervalMs: 1000\n  heartbeatIntervalMs: 1000\n`);
  // Options of Node must not reach a service that runs as root.
  const env = { PATH: '', NODE_OPTIONS: '--require /nowhere.cjs' };
  const agent = (...args: string[]) => launch([program, '--config', config, ...args], env, dir);

  const system = await startSystem({ requiredServices: ['sw-none'] });
  t.teardown(() => system.close());
  const tokenFile = await system.appliance.makeToken();
  const stop = async () => {
    t.match(await agent('stop').ended, { code: 0, stdout: 'Stopped.\n' });
  };
  const reports = await liveThrough(t, { system, agent, tokenFile, stop });
  t.notOk(existsSync(tokenFile));
  t.match(Object.keys(lastStatuses(reports, 'services')), ['sw-none']);
  t.match(readdirSync(join(dataDir, 'native')), [/^better-sqlite3-[0-9a-f]{64}\.node$/]);
  t.match(await agent('stop').ended, { code: 0, stdout: 'It does not run.\n' });
});
