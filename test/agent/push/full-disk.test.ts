import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeFacts } from '@sitewarden/agent-proto/agent';
import { runTool } from '@sitewarden/kit/exec';
import t from 'tap';
import { readStatus } from '../../../agent/run/index.ts';
import { skipWithout } from '../../helpers/needs.ts';
import { makeAgent } from '../helpers/in-process-agent.ts';
import { startTestAppliance } from '../helpers/test-appliance.ts';
import { until } from '../helpers/wait.ts';

const FILLER = 'other-';

/** Takes what is left of the disk, as another program would. */
function fill(path: string): void {
  for (let bytes = 1024 * 1024; bytes >= 4096; bytes /= 2) {
    for (let part = 0; ; part += 1) {
      try {
        writeFileSync(join(path, `${FILLER}${bytes}-${part}`), Buffer.alloc(bytes));
      } catch {
        break;
      }
    }
  }
}

t.test('an agent on a full disk keeps its session, says what is wrong, and recovers by itself', async (t) => {
  if (skipWithout(t, { root: true, tools: ['mount', 'umount'] })) return;
  const disk = mkdtempSync(join(tmpdir(), 'sitewarden-agent-disk-'));
  const mounted = await runTool(['mount', '-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk]);
  t.equal(mounted.ok, true, mounted.stderr);
  t.teardown(async () => {
    await runTool(['umount', disk]);
    rmSync(disk, { recursive: true, force: true });
  });
  const site = await startTestAppliance();
  t.teardown(() => site.stop());
  const agent = await makeAgent(site, { dataDir: join(disk, 'data'), overrides: { heartbeatIntervalMs: 1000 } });
  const status = () => readStatus(agent.config.dataDir);
  site.rules.holdAcks = true;
  const daemon = agent.start();
  t.teardown(() => daemon.stop());
  await until('a report', () => site.agent.reports.length > 0);
  t.equal((await status()).disk?.isFull, false);

  fill(disk);
  // The log of the database may still have room for a few writes.
  await until('the disk to refuse', () => {
    site.pushConfig({ tier: 0 });
    return agent.logs.some(({ msg }) => /the disk is full/.test(msg));
  });
  site.releaseAcks();
  const sessions = site.sessionsOpened;
  const beats = site.agent.heartbeats.length;
  await until('heartbeats', () => site.agent.heartbeats.length >= beats + 4);
  t.equal(site.sessionsOpened, sessions, 'in the same session');
  const facts = decodeFacts(site.agent.heartbeats.at(-1)!.telemetry);
  t.equal(facts.store_fault, 'SQLITE_FULL');
  t.ok(Number(facts.data_disk_total_bytes) > 0);
  t.equal(facts.data_disk_used_bytes, facts.data_disk_total_bytes);
  site.pushConfig({ tier: 1 });
  t.match(await status(), { state: 'connected', disk: { isFull: true }, queue: { depth: /[1-9]/ } });
  t.equal(agent.logs.filter(({ msg }) => /the disk is full/.test(msg)).length, 1, 'said once');

  for (const name of readdirSync(disk)) if (name.startsWith(FILLER)) rmSync(join(disk, name));
  await until('an empty queue', async () => (await status()).queue?.depth === 0);
  await until('a heartbeat that is well', () => site.agent.heartbeats.at(-1)?.telemetry.store_fault === undefined);
  t.match(await status(), { disk: { isFull: false }, queue: { siteConfig: { tier: 1 }, losses: [] } });
});
