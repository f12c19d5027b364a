import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startAppliance } from '../helpers/appliance.ts';
import type { Figure } from './benches.ts';
import type { CrowdOptions, CrowdResult } from './children/grpc-crowd.ts';
import { startChild } from './lib/child.ts';
import { median, rounded } from './lib/figures.ts';
import { cpuSeconds, rssMb } from './lib/process-stat.ts';
import { makeAgents } from './lib/site-agents.ts';

const AGENTS = 500;
/** As agents do by default. */
const REPORT_EVERY_MS = 300_000;
const HEARTBEAT_EVERY_MS = 60_000;
const SETTLE_MS = 15_000;
const WATCH_MS = 30_000;
const SAMPLES = 10;

/** What 500 connected workstations cost a box, against a bare grpc-js server with the same 500 streams open. */
export async function run(): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sitewarden-bench-'));
  const stops: (() => Promise<unknown>)[] = [];
  try {
    const agents = await makeAgents(dataDir, AGENTS);
    const appliance = await startAppliance({ dataDir, logLevel: 'warn' });
    stops.push(() => appliance.stop());
    const box = await crowd({ address: appliance.intakeAddress, pid: appliance.pid, kind: 'intake', agents });
    const { child: echo, ready } = await startChild<object, object, { address: string }>('grpc-echo.ts', [
      dataDir,
      'mtls',
    ]);
    stops.push(echo.stop);
    const bare = await crowd({ address: ready.address, pid: echo.pid, kind: 'echo', agents });
    const cadence = `${REPORT_EVERY_MS / 60_000} minutes a report of six results, ${HEARTBEAT_EVERY_MS / 1000} s a heartbeat`;
    return [
      {
        name: 'agents-500',
        value: rounded(box.rssKbEach),
        unit: 'kB RSS an agent',
        control: rounded(bare.rssKbEach),
        ratio: rounded(box.rssKbEach / bare.rssKbEach),
        note: `${AGENTS} mTLS sessions; ${rounded(box.beforeMb)} MB without them, ${rounded(box.afterMb)} MB with; control: streams of a bare grpc-js echo`,
      },
      {
        name: 'agents-500-cpu',
        value: rounded(box.cpuPercent),
        unit: '% of one core',
        control: rounded(bare.cpuPercent),
        ratio: rounded(box.cpuPercent / bare.cpuPercent),
        note: `${cadence}; over ${WATCH_MS / 1000} s`,
      },
    ];
  } finally {
    for (const stop of stops.reverse()) await stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

interface Crowd {
  readonly address: string;
  readonly pid: number;
  readonly kind: CrowdOptions['kind'];
  readonly agents: CrowdOptions['agents'];
}

async function crowd({ address, pid, kind, agents }: Crowd) {
  await delay(SETTLE_MS);
  const beforeMb = rssMb(pid);
  const { child } = await startChild<CrowdOptions, CrowdResult>('grpc-crowd.ts');
  try {
    const cadence = { reportEveryMs: REPORT_EVERY_MS, heartbeatEveryMs: HEARTBEAT_EVERY_MS };
    const { connected } = await child.ask({ address, kind, agents, ...cadence });
    if (connected !== agents.length) throw new Error(`${connected} of ${agents.length} streams are open`);
    await delay(SETTLE_MS);
    const cpuBefore = cpuSeconds(pid);
    const samples: number[] = [];
    for (let i = 0; i < SAMPLES; i += 1) {
      await delay(WATCH_MS / SAMPLES);
      samples.push(rssMb(pid));
    }
    const afterMb = median(samples);
    const cpuPercent = ((cpuSeconds(pid) - cpuBefore) / (WATCH_MS / 1000)) * 100;
    return { beforeMb, afterMb, rssKbEach: ((afterMb - beforeMb) * 1000) / agents.length, cpuPercent };
  } finally {
    await child.stop();
  }
}
