import { setTimeout as delay } from 'node:timers/promises';
import { startSystem } from '../helpers/system.ts';
import type { Figure } from './benches.ts';
import { startChild } from './lib/child.ts';
import { figureOf, median, rounded } from './lib/figures.ts';
import { cpuSeconds, rssMb } from './lib/process-stat.ts';

const ROUNDS = 2;
/** What begins with the start is over: first check-ins, first checks, memory given back. */
const SETTLE_MS = 16_000;
const WATCH_MS = 10_000;
const SAMPLE_MS = 500;
/** As on a real box. */
const CHECKIN_INTERVAL_MS = 60_000;

interface Rest {
  rss: number;
  cpuPercent: number;
}

/** The claimed appliance with its relay there and no agent, against a process that only loaded the same libraries. */
export async function run(): Promise<Figure[]> {
  const system = await startSystem({ checkinIntervalMs: CHECKIN_INTERVAL_MS, wake: true });
  try {
    const rests: Rest[] = [];
    const controls: number[] = [];
    const three: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      if (round > 0) {
        await system.appliance.stop();
        await system.startAppliance();
      }
      rests.push(await watch(system.appliance.pid));
      controls.push(await bare('appliance'));
      three.push(await bare('three'));
    }
    const note = `control: the appliance's direct dependencies loaded (all but @peculiar/x509, which it loads when needed); the box is connected for the wake-up; grpc-js, Fastify and better-sqlite3 alone ${rounded(median(three))} MB`;
    const cpu = rests.map(({ cpuPercent }) => cpuPercent);
    return [
      figureOf({ name: 'idle', unit: 'MB RSS', values: rests.map(({ rss }) => rss), controls, note }),
      {
        name: 'idle-cpu',
        value: rounded(median(cpu)),
        unit: '% of one core',
        control: null,
        ratio: null,
        note: `over ${WATCH_MS / 1000} s, ${ROUNDS} rounds`,
      },
    ];
  } finally {
    await system.close();
  }
}

export async function watch(pid: number): Promise<Rest> {
  await delay(SETTLE_MS);
  const [before, fromMs] = [cpuSeconds(pid), performance.now()];
  const rss = await rssOver(pid, WATCH_MS);
  const seconds = (performance.now() - fromMs) / 1000;
  return { rss, cpuPercent: ((cpuSeconds(pid) - before) / seconds) * 100 };
}

async function rssOver(pid: number, ms: number): Promise<number> {
  const samples: number[] = [];
  for (const endMs = performance.now() + ms; performance.now() < endMs; ) {
    samples.push(rssMb(pid));
    await delay(SAMPLE_MS);
  }
  return median(samples);
}

export async function bare(what: 'appliance' | 'agent' | 'three'): Promise<number> {
  const { child } = await startChild('bare-libraries.ts', [what]);
  try {
    await delay(1000);
    return await rssOver(child.pid, 1000);
  } finally {
    await child.stop();
  }
}
