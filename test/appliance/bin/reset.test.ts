import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runProgram } from '../../../scripts/lib/programs.ts';
import { waitFor } from '../../../scripts/lib/wait.ts';
import { claimBox } from '../../../scripts/start/site.ts';
import { applianceAt } from '../../helpers/relay-program.ts';
import { startSystem } from '../../helpers/system.ts';

t.test('a claimed box becomes a new one that can be claimed again, and nothing it knew is lost', async (t) => {
  const system = await startSystem();
  t.teardown(() => system.close());
  const { staff, siteId, base } = system;
  const { configFile } = system.appliance;
  const dataDir = join(base, 'appliance');
  const dik = () => readFileSync(join(dataDir, 'identity', 'dik.pem'), 'utf8');
  const reset = (...flags: string[]) => runProgram('appliance', ['reset', '--config', configFile, ...flags]);
  const claimedBy = async (site: string) => {
    const appliance = await applianceAt(staff, site);
    return appliance?.lastCheckinAtMs ? appliance.id : undefined;
  };
  const before = await waitFor('the first check-in', () => claimedBy(siteId), 60_000);
  const key = dik();

  await t.rejects(reset('--yes'), /ended with 1: .*BOX_RUNS/s);
  // Also where it says nothing of itself: the kernel knows who holds the lock.
  rmSync(join(dataDir, 'run.json'));
  await t.rejects(reset('--yes'), /ended with 1: .*BOX_RUNS/s);
  await system.appliance.stop();
  const isKept = (name: string) => !name.startsWith('appliance.lock');
  const kept = readdirSync(dataDir).filter(isKept).sort();
  await t.rejects(reset(), /ended with 1: .*RESET_NOT_CONFIRMED/s);
  t.strictSame(readdirSync(dataDir).filter(isKept).sort(), kept, 'nothing was moved');
  t.match(await reset('--yes'), /Done/);
  const [aside = '', ...others] = readdirSync(dataDir).filter(isKept);
  t.strictSame(others, []);
  t.strictSame(readdirSync(join(dataDir, aside)).sort(), kept);
  t.match(await reset('--yes'), /as new already/);

  await system.startAppliance();
  t.not(dik(), key, 'it has a key of its own');
  const { clientId } = (await staff.call<{ sites: { clientId: string }[] }>('GET', '/api/sites')).sites[0]!;
  const wish = { clientId, name: 'Second street', agentTier: 0, requiredServices: [] };
  const { id: second } = await staff.call<{ id: string }>('POST', '/api/sites', wish);
  await claimBox(staff, second, system.appliance.localUrl);
  const after = await waitFor('its first check-in', () => claimedBy(second), 60_000);
  t.not(after, before);
});
