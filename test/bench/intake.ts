import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '@sitewarden/kit/sqlite';
import { readCursor } from '../../appliance/store/index.ts';
import { MIGRATIONS } from '../../appliance/store/migrations/index.ts';
import { DATABASE_FILE } from '../../appliance/store/open.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { startAppliance } from '../helpers/appliance.ts';
import type { Figure } from './benches.ts';
import type { LoadOptions, LoadResult } from './children/grpc-load.ts';
import { startChild } from './lib/child.ts';
import { figureOf, median, rounded } from './lib/figures.ts';
import { cpuSeconds } from './lib/process-stat.ts';
import { makeAgents } from './lib/site-agents.ts';

const AGENTS = 50;
const WINDOW = 32;
const ROUNDS = 5;
const WARM_MS = 1500;
const MEASURE_MS = 5000;
const RESULTS = 6;
const NO_LIMIT = 1_000_000;

interface Round {
  resultsPerS: number;
  serverCpu: number;
  clientCpu: number;
  messageBytes: number;
}

/** The real appliance, all stages running, in its own process; client and echo in theirs. */
export async function run(): Promise<Figure[]> {
  const base = mkdtempSync(join(tmpdir(), 'sitewarden-bench-'));
  const stops: (() => Promise<unknown>)[] = [];
  try {
    const dataDir = join(base, 'data');
    const agents = await makeAgents(dataDir, AGENTS);
    const appliance = await startAppliance({ dataDir, reportsPerS: NO_LIMIT, logLevel: 'warn' });
    stops.push(() => appliance.stop());
    const echo = await startEcho(dataDir, 'mtls');
    const plain = await startEcho(dataDir, 'plaintext');
    const { child: client } = await startChild<LoadOptions, LoadResult>('grpc-load.ts');
    stops.push(echo.stop, plain.stop, client.stop);
    const stages = watchAssess(dataDir);
    stops.push(async () => stages.close());

    const load = async (kind: LoadOptions['kind'], address: string, pid: number): Promise<Round> => {
      const before = cpuSeconds(pid);
      const startMs = performance.now();
      const options = { address, kind, agents, window: WINDOW, warmMs: WARM_MS, measureMs: MEASURE_MS };
      const { reportsPerS, clientCpu, messageBytes } = await client.ask(options);
      const serverCpu = (cpuSeconds(pid) - before) / ((performance.now() - startMs) / 1000);
      return { resultsPerS: reportsPerS * RESULTS, serverCpu, clientCpu, messageBytes };
    };

    const intake: (Round & { behind: number; catchUpS: number })[] = [];
    const mtls: Round[] = [];
    const plaintext: Round[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const one = await load('intake', appliance.intakeAddress, appliance.pid);
      // What assessing still owes is paid before the control runs: it must not compute beside it.
      intake.push({ ...one, ...(await stages.caughtUp()) });
      mtls.push(await load('echo', echo.address, echo.pid));
      plaintext.push(await load('echo-plaintext', plain.address, plain.pid));
    }

    const values = intake.map(({ resultsPerS }) => resultsPerS);
    const of = (rounds: readonly Round[], key: keyof Round) => rounded(median(rounds.map((one) => one[key])));
    const loadSeconds = (WARM_MS + MEASURE_MS) / 1000;
    const note =
      `${AGENTS} mTLS streams, ${of(intake, 'messageBytes')} bytes and ${RESULTS} results a report; cores used: ` +
      `appliance ${of(intake, 'serverCpu')}, client ${of(intake, 'clientCpu')}, echo ${of(mtls, 'serverCpu')}, its client ${of(mtls, 'clientCpu')}`;
    return [
      figureOf({ name: 'intake', unit: 'results/s', values, controls: mtls.map((one) => one.resultsPerS), note }),
      figureOf({
        name: 'intake-vs-plaintext',
        unit: 'results/s',
        values,
        controls: plaintext.map((one) => one.resultsPerS),
        note: 'the control neither encrypts nor knows its clients',
      }),
      figureOf({
        name: 'intake-assessed',
        unit: 'results/s',
        values: intake.map(({ resultsPerS, catchUpS }) => (resultsPerS * loadSeconds) / (loadSeconds + catchUpS)),
        controls: mtls.map((one) => one.resultsPerS),
        note: `the same with the time until the last report was assessed; behind by ${rounded(median(intake.map(({ behind }) => behind)))} reports when the load ended`,
      }),
    ];
  } finally {
    for (const stop of stops.reverse()) await stop();
    rmSync(base, { recursive: true, force: true });
  }
}

async function startEcho(dataDir: string, kind: 'mtls' | 'plaintext') {
  const { child, ready } = await startChild<object, object, { address: string }>('grpc-echo.ts', [dataDir, kind]);
  return { address: ready.address, pid: child.pid, stop: child.stop };
}

/** How far the stage after intake is, seen from outside. */
function watchAssess(dataDir: string) {
  const db = openDatabase(join(dataDir, DATABASE_FILE), { migrations: MIGRATIONS, readonly: true });
  const newest = db.prepare<[], number | null>('SELECT max(id) FROM report').pluck();
  const behind = () => Math.max(0, (newest.get() ?? 0) - readCursor(db, 'assess'));
  return {
    close: () => db.close(),
    async caughtUp(): Promise<{ behind: number; catchUpS: number }> {
      const owed = behind();
      const fromMs = performance.now();
      await waitFor('all reports to be assessed', () => behind() === 0, 120_000, 20);
      return { behind: owed, catchUpS: (performance.now() - fromMs) / 1000 };
    },
  };
}
