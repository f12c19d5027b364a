import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import Database from 'better-sqlite3';
import { startChild } from '../bench/lib/child.ts';
import { makeAgents } from '../bench/lib/site-agents.ts';
import type { Manner, StormAnswer, StormQuestion } from '../flow/children/storm-agents.ts';
import { startAppliance, type TestAppliance } from './appliance.ts';
import { freePort } from './free-port.ts';

const CHILD = join(import.meta.dirname, '..', 'flow', 'children', 'storm-agents.ts');
/** As a screen of the site that asks often. */
const ASK_EVERY_MS = 100;

export interface StormOptions {
  readonly dataDir: string;
  readonly agents: number;
  readonly manner: Manner;
  /** For all of them to be back with every report acknowledged. */
  readonly withinMs: number;
}

export interface StormResult {
  /** Agents that came back and had every report acknowledged. */
  readonly back: number;
  /** From the restart until the last of them was. */
  readonly tookMs: number;
  readonly attempts: number;
  readonly ends: Record<string, number>;
  /** The longest the box's own page took to answer while they came back, less what the asking process itself was late. */
  readonly healthMaxMs: number;
  readonly healthAnswers: number;
  readonly rssBeforeMib: number;
  readonly rssMaxMib: number;
  /** Reports that the box has of each agent other than exactly those that were made. */
  readonly wrong: string[];
}

/** So many that the box cannot have stored all of them when it is seen to have stored the first. */
const REPORTS = 12;

/** The box dies under all its agents while they report, starts again, and meets them all at once. */
export async function storm(options: StormOptions): Promise<StormResult> {
  const { dataDir, manner, withinMs } = options;
  const identities = await makeAgents(dataDir, options.agents);
  const ports = { intakePort: await freePort(), localPort: await freePort() };
  const start = () => startAppliance({ dataDir, ...ports, logLevel: 'error' });
  let box = await start();
  const { child } = await startChild<StormQuestion, StormAnswer>(CHILD);
  try {
    await child.ask({ ask: 'begin', address: box.intakeAddress, agents: identities, manner });
    const first = await child.ask({ ask: 'report', count: 1, deadlineMs: 120_000 });
    if (first.done !== identities.length) throw new Error(`${first.done} agents began: ${JSON.stringify(first.ends)}`);
    const rssBeforeMib = rssMib(box);
    // Half-way through what they send now.
    const answer = child.ask({ ask: 'report', count: REPORTS - 1, deadlineMs: withinMs + 10_000 });
    await untilStored(dataDir, Math.floor(identities.length * 1.5));
    box.kill('SIGKILL');
    await box.exited;
    box = await start();
    const fromMs = performance.now();
    const watch = watchBox(box);
    const { done, attempts, ends, acked } = await answer;
    const tookMs = performance.now() - fromMs;
    const seen = await watch.stop();
    return {
      back: done,
      tookMs,
      attempts,
      ends,
      ...seen,
      rssBeforeMib,
      wrong: done === identities.length ? wrongOf(dataDir, acked) : [],
    };
  } finally {
    await child.stop();
    await box.stop();
  }
}

const rssMib = ({ pid }: TestAppliance): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

function watchBox(box: TestAppliance) {
  const own = monitorEventLoopDelay({ resolution: 5 });
  own.enable();
  let isOver = false;
  let healthMaxMs = 0;
  let healthAnswers = 0;
  let rssMaxMib = 0;
  const asking = (async () => {
    while (!isOver) {
      const fromMs = performance.now();
      const answer = await fetch(`${box.localUrl}/health`, { signal: AbortSignal.timeout(30_000) });
      await answer.text();
      healthMaxMs = Math.max(healthMaxMs, performance.now() - fromMs);
      healthAnswers += answer.ok ? 1 : 0;
      rssMaxMib = Math.max(rssMaxMib, rssMib(box));
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    }
  })();
  // Told to whoever stops it.
  asking.catch(() => {});
  return {
    async stop() {
      isOver = true;
      await asking;
      own.disable();
      return { healthMaxMs: Math.max(0, healthMaxMs - own.max / 1e6), healthAnswers, rssMaxMib };
    },
  };
}

async function untilStored(dataDir: string, count: number): Promise<void> {
  const db = new Database(join(dataDir, 'appliance.db'), { readonly: true });
  try {
    const stored = db.prepare<[], number>("SELECT count(*) FROM report WHERE source <> 'box'").pluck();
    const endMs = performance.now() + 60_000;
    while ((stored.get() ?? 0) < count) {
      if (performance.now() > endMs) throw new Error(`fewer than ${count} reports were stored`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  } finally {
    db.close();
  }
}

/** Each agent's reports on disk must be 1..REPORTS, each once, and nothing else may have been acknowledged. */
function wrongOf(dataDir: string, acked: Record<string, number>): string[] {
  const db = new Database(join(dataDir, 'appliance.db'), { readonly: true });
  try {
    const seqs = db.prepare<[string], number>('SELECT seq FROM report WHERE source = ? ORDER BY id').pluck();
    const whole = Array.from({ length: REPORTS }, (_, index) => index + 1).join();
    return Object.entries(acked).flatMap(([agentId, through]) => {
      const kept = seqs.all(agentId).join();
      return kept === whole && through === REPORTS ? [] : [`${agentId}: ${kept} stored, ${through} acknowledged`];
    });
  } finally {
    db.close();
  }
}
