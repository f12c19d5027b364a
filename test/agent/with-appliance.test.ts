import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runProgram } from '../../scripts/lib/programs.ts';
import { startAppliance, type TestAppliance } from '../helpers/appliance.ts';
import { makeAgentHome } from './helpers/agent-process.ts';
import { until } from './helpers/wait.ts';

interface ListedAgent {
  readonly id: string;
  readonly connected: boolean;
  readonly failing: number;
}

async function listed(box: TestAppliance): Promise<ListedAgent | undefined> {
  const text = await runProgram('appliance', ['agents', 'list', '--config', box.configFile]);
  return (JSON.parse(text) as ListedAgent[])[0];
}

t.test('with the real appliance: enrolled, checked, cut off, back again, removed', async (t) => {
  const box = await startAppliance({ dataDir: join(t.testdir(), 'box') });
  t.teardown(() => box.stop());
  const agent = makeAgentHome('overrides:\n  heartbeatIntervalMs: 1000\n');
  t.teardown(() => agent.remove());
  const tokenFile = await box.makeToken();
  t.match(await agent.call('enroll', '--token-file', tokenFile), { code: 0, stdout: /^Enrolled as agt_/ });
  t.equal(existsSync(tokenFile), false);

  const first = agent.run();
  // A machine made for tests fails some check (its disk, its firewall); what matters is that the results arrived.
  const known = await until(
    'results at the appliance',
    async () => {
      const one = await listed(box);
      return one?.connected && one.failing > 0 && one;
    },
    60_000,
  );
  first.child.kill('SIGKILL');
  await first.ended;
  const second = agent.run();
  await until('a session after the kill', () => second.output().includes('connected to the appliance'), 30_000);
  t.notMatch(second.output(), /queue_was_lost|set back|certificate renewed/);

  await runProgram('appliance', ['agents', 'remove', '--config', box.configFile, known.id]);
  t.equal((await second.ended).code, 4);
  t.match(await agent.call('status'), { stdout: /removed from its site/ });
});
