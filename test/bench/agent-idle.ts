import { waitFor } from '../../scripts/lib/wait.ts';
import { startSystem } from '../helpers/system.ts';
import type { Figure } from './benches.ts';
import { bare, watch } from './idle.ts';
import { figureOf, median, rounded } from './lib/figures.ts';

const ROUNDS = 2;
/** So that no round of checks falls into the time that is watched. */
const CHECK_INTERVAL_MS = 3_600_000;

/** An enrolled agent between two rounds of checks, against a process that only loaded the same libraries. */
export async function run(): Promise<Figure[]> {
  const system = await startSystem({ checkIntervalMs: CHECK_INTERVAL_MS });
  try {
    const rests: Awaited<ReturnType<typeof watch>>[] = [];
    const controls: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await system.agent?.stop();
      await system.startAgent();
      const agent = system.agent;
      if (agent === undefined) throw new Error('the agent is not there');
      await waitFor('the agent has looked once', () => isConnected(system.appliance.localUrl), 60_000);
      rests.push(await watch(agent.pid));
      controls.push(await bare('agent'));
    }
    const cpu = rounded(median(rests.map(({ cpuPercent }) => cpuPercent)));
    const note = `control: the agent's direct dependencies loaded; CPU ${cpu} % of one core`;
    return [figureOf({ name: 'agent-idle', unit: 'MB RSS', values: rests.map(({ rss }) => rss), controls, note })];
  } finally {
    await system.close();
  }
}

async function isConnected(localUrl: string): Promise<boolean> {
  const answer = await fetch(`${localUrl}/api/local/status`);
  return ((await answer.json()) as { agents: { connected: number } }).agents.connected === 1;
}
