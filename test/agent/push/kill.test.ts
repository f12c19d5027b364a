import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { openQueue } from '../../../agent/queue/index.ts';
import { makeAgent } from '../helpers/in-process-agent.ts';
import { startTestAppliance } from '../helpers/test-appliance.ts';
import { until } from '../helpers/wait.ts';

const PUSHER = fileURLToPath(new URL('./children/pusher.ts', import.meta.url));
const KILLS = 8;

t.test(
  'killed at any moment, over and over, the agent loses no report that was on disk and sends none as another',
  async (t) => {
    const site = await startTestAppliance();
    t.teardown(() => site.stop());
    const agent = await makeAgent(site);
    t.teardown(() => agent.remove());
    const { dataDir } = agent.config;
    const seed = Date.now() % 1000;
    t.comment(`seed ${seed}`);
    let promised = -1;
    for (let kill = 0; kill < KILLS; kill++) {
      const { NODE_OPTIONS: _, ...env } = process.env;
      const child = spawn(process.execPath, [PUSHER, dataDir, site.address, String(promised + 1), '2'], { env });
      let output = '';
      child.stdout.on('data', (chunk) => {
        output += chunk;
      });
      const closed = once(child, 'close');
      const storedBefore = site.agent.reports.length;
      await until('reports from the child', () => site.agent.reports.length > storedBefore, 30_000);
      // Anywhere in the next stretch of work: between two commits, between commit and send, between send and Ack.
      const more = 1 + ((seed * 7919 + kill * 104_729) % 150);
      await until('some more of them', () => site.agent.reports.length > storedBefore + more, 30_000);
      if (kill % 3 === 2) site.cut();
      child.kill('SIGKILL');
      await closed;
      // A line cut off in the middle was not promised.
      const lines = output
        .slice(0, output.lastIndexOf('\n') + 1)
        .trim()
        .split('\n');
      if (lines.at(-1) !== '') promised = Math.max(promised, Number(lines.at(-1)));
      // One more may be on disk whose line did not get out: the next child must not use its number.
      const queue = openQueue(dataDir, { maxRows: 100_000, maxAgeMs: 1e10 });
      const last = queue.reports.next(0, 100_000).at(-1);
      if (last !== undefined) promised = Math.max(promised, Number(last.report.orderId));
      queue.close();
    }
    const child = spawn(process.execPath, [PUSHER, dataDir, site.address, String(promised + 1), '0'], {
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    await until('everything that was promised', () => site.agent.reports.length > promised, 60_000);
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
    const ids = site.agent.reports.map(({ orderId }) => Number(orderId));
    t.ok(promised > KILLS * 5, `${promised + 1} reports, ${site.agent.duplicates} sent twice`);
    t.strictSame(
      ids.filter((id, index) => id !== index),
      [],
      'each once, in order, none missing',
    );
  },
);
