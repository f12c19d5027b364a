import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAppliance, type TestAppliance } from '../helpers/appliance.ts';
import { findTool } from '../helpers/needs.ts';
import type { Figure } from './benches.ts';
import type { LoadOptions, LoadResult } from './children/grpc-load.ts';
import { startChild } from './lib/child.ts';
import { figureOf } from './lib/figures.ts';
import { makeAgents } from './lib/site-agents.ts';

const AGENTS = 50;
const WINDOW = 32;
const ROUNDS = 5;
const WARM_MS = 1500;
const MEASURE_MS = 5000;
const RESULTS = 6;
const NO_LIMIT = 1_000_000;
const SYNC_DELAY_US = 5000;

/** The real appliance with every sync 5 ms longer, as on a small flash card, against the same appliance without. */
export async function run(): Promise<Figure[]> {
  const strace = findTool('strace');
  if (strace === undefined) throw new Error('strace is missing. Install it: apt-get install strace.');
  const base = mkdtempSync(join(tmpdir(), 'sitewarden-bench-'));
  const stops: (() => Promise<unknown>)[] = [];
  try {
    const slow = await start(join(base, 'slow'), slowSyncs(strace));
    stops.push(slow.stop);
    const plain = await start(join(base, 'plain'));
    stops.push(plain.stop);
    const { child: client } = await startChild<LoadOptions, LoadResult>('grpc-load.ts');
    stops.push(client.stop);
    const load = async ({ appliance, agents }: Box): Promise<number> => {
      const places = { address: appliance.intakeAddress, kind: 'intake', agents } as const;
      const { reportsPerS } = await client.ask({ ...places, window: WINDOW, warmMs: WARM_MS, measureMs: MEASURE_MS });
      return reportsPerS * RESULTS;
    };
    const [values, controls]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      values.push(await load(slow));
      controls.push(await load(plain));
    }
    const note = `${AGENTS} mTLS streams; every fsync and fdatasync of the box takes ${SYNC_DELAY_US / 1000} ms longer (strace); control: the same box without`;
    return [figureOf({ name: 'intake-slow-disk', unit: 'results/s', values, controls, note })];
  } finally {
    for (const stop of stops.reverse()) await stop();
    rmSync(base, { recursive: true, force: true });
  }
}

interface Box {
  readonly appliance: TestAppliance;
  readonly agents: LoadOptions['agents'];
  readonly stop: () => Promise<unknown>;
}

async function start(dataDir: string, wrapper?: readonly string[]): Promise<Box> {
  const agents = await makeAgents(dataDir, AGENTS);
  const options = { dataDir, reportsPerS: NO_LIMIT, logLevel: 'warn' };
  const appliance = await startAppliance(wrapper === undefined ? options : { ...options, wrapper });
  return { appliance, agents, stop: () => appliance.stop() };
}

/** Only the syncs are stopped at; every other call runs as fast as without. */
const slowSyncs = (strace: string): readonly string[] => [
  ...[strace, '-D', '-f', '--seccomp-bpf', '-q', '-o', '/dev/null', '-e', 'trace=fsync,fdatasync'],
  ...['-e', `inject=fsync,fdatasync:delay_exit=${SYNC_DELAY_US}`],
];
