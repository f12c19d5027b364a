import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeAgent } from '../helpers/in-process-agent.ts';
import { startTestAppliance } from '../helpers/test-appliance.ts';
import { until } from '../helpers/wait.ts';

t.test('an identity that others may read is closed to them at the next start, and that is said', async (t) => {
  const site = await startTestAppliance();
  t.teardown(() => site.stop());
  const agent = await makeAgent(site);
  t.teardown(() => agent.remove());
  const path = join(agent.config.dataDir, 'identity', 'identity.json');
  chmodSync(path, 0o640);
  const daemon = agent.start();
  t.teardown(() => daemon.stop());
  await until('a warning', () =>
    agent.logs.find(({ msg }) => /had rights to this key file; they were taken away/.test(msg)),
  );
  t.equal(statSync(path).mode & 0o777, 0o600);
});
