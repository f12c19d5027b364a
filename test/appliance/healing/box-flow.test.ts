import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPidfileManager } from '@sitewarden/kit/services';
import { systemClock } from '@sitewarden/kit/time';
import t from 'tap';
import { createAssess } from '../../../appliance/assess/index.ts';
import { createHealing } from '../../../appliance/healing/index.ts';
import { changes, openIncidents, recentActionRuns, resultsOfSource } from '../../../appliance/store/index.ts';
import { createSelfChecks } from '../../../appliance/telemetry/index.ts';
import { applianceContext, eventually } from '../../helpers/appliance-context.ts';

t.test('a service of the box that dies is seen, restarted, seen again and verified, by rows alone', async (t) => {
  const ctx = { ...applianceContext(t, 'box: { requiredServices: [probe] }\n'), clock: systemClock };
  const dir = join(ctx.config.dataDir, 'services');
  mkdirSync(dir);
  const declaration = { command: ['sleep', '600'], pidFile: join(dir, 'probe.pid') };
  writeFileSync(join(dir, 'probe.json'), JSON.stringify(declaration));
  const services = createPidfileManager({ dir });
  t.teardown(() => services.stop('probe').catch(() => {}));
  await services.start('probe');

  const parts = [
    createAssess(ctx),
    createHealing(ctx, { services }),
    createSelfChecks(ctx, { services, everyMs: 250 }),
  ];
  for (const part of parts) await part.start();
  t.teardown(async () => {
    for (const part of parts.reverse()) await part.stop();
  });
  await eventually('the service is seen running', () =>
    resultsOfSource(ctx.db, 'box').find((row) => row.status === 'pass'),
  );
  t.strictSame(openIncidents(ctx.db), []);

  const pid = Number(/pid (\d+)/.exec((await services.status('probe')).detail)?.[1]);
  process.kill(pid, 'SIGKILL');
  const run = await eventually('the repair is verified', () => {
    const [newest] = recentActionRuns(ctx.db, 1);
    return newest?.state === 'verified' && openIncidents(ctx.db).length === 0 ? newest : undefined;
  });
  t.match(run, { source: 'box', action: 'restart_service', before: { state: 'failed' }, after: { state: 'running' } });
  t.equal((await services.status('probe')).state, 'running');
  t.equal(recentActionRuns(ctx.db, 9).length, 1);
  const kinds = changes.since(ctx.db, 0, { limit: 100 }).map((change) => change.kind);
  for (const kind of ['incident_opened', 'action_started', 'action_finished', 'incident_resolved', 'action_verified']) {
    t.equal(kinds.filter((one) => one === kind).length, 1, kind);
  }
});
