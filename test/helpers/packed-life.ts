import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Report, statusFromWire } from '@sitewarden/agent-proto/agent';
import type { Test } from 'tap';
import { waitFor } from '../../scripts/lib/wait.ts';
import { reportsOf } from './agent-reports.ts';
import type { System } from './system.ts';

export interface Launched {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
  output(): string;
}

let launches = 0;

/**
 * Starts a program file with exactly this environment. Both outputs go to files in `dir`: the pipes of Node are sockets,
 * which Wine cannot hand to a Windows program as its output.
 */
export function launch(argv: readonly [string, ...string[]], env: NodeJS.ProcessEnv, dir: string): Launched {
  launches += 1;
  const paths = [join(dir, `${launches}.out`), join(dir, `${launches}.err`)] as const;
  const files = paths.map((path) => openSync(path, 'w'));
  const child = spawn(argv[0], argv.slice(1), { env, cwd: dir, stdio: ['ignore', ...files] });
  for (const file of files) closeSync(file);
  const read = () => paths.map((path) => readFileSync(path, 'utf8').replaceAll('\r\n', '\n')) as [string, string];
  const ended = new Promise<Awaited<Launched['ended']>>((resolve) =>
    child.once('close', (code) => {
      const [stdout, stderr] = read();
      resolve({ code, stdout, stderr });
    }),
  );
  return { child, ended, output: () => read().join('') };
}

export interface LifeOptions {
  readonly system: System;
  /** The agent's program with these arguments. */
  agent(...args: string[]): Launched;
  /** As the agent names the file. */
  readonly tokenFile: string;
  /** Runs the agent's own way to be stopped. */
  stop(running: Launched): Promise<void>;
}

const AWAY_REPORTS = 3;

/**
 * Enrols, reports, is killed and started again, works while the box is away, stops. Answers all that the box has from it.
 * Intervals of a second stand in the agent's configuration.
 */
export async function liveThrough(t: Test, { system, agent, tokenFile, stop }: LifeOptions): Promise<Report[]> {
  const enrolled = await agent('enroll', '--token-file', tokenFile).ended;
  t.match(enrolled, { stderr: '', code: 0, stdout: /^Enrolled as agt_/ }, 'enrols with a token');
  const agentId = /agt_\w+/.exec(enrolled.stdout)?.[0] ?? '';
  const kept = () => reportsOf(join(system.base, 'appliance'), agentId);
  const runs: Launched[] = [];
  const run = () => {
    const started = agent('run');
    runs.push(started);
    t.teardown(() => void started.child.kill('SIGKILL'));
    return started;
  };

  const first = run();
  await waitFor('three reports at the box', () => kept().length >= 3, 30_000);
  first.child.kill('SIGKILL');
  await first.ended;

  const second = run();
  await waitFor('a session after the kill', () => second.output().includes('connected to the appliance'), 30_000);
  t.notMatch(second.output(), /queue was damaged|queue_was_lost|set back/, 'the queue of before is whole');
  await system.appliance.stop();
  const before = made([second]);
  await waitFor('reports while the box is away', () => made([second]) >= before + AWAY_REPORTS, 30_000);
  await system.startAppliance();
  await waitFor('all of them at the box', () => kept().length >= made(runs), 60_000);
  await stop(second);
  t.equal((await second.ended).code, 0, 'stops cleanly');
  t.match(second.output(), /"part":"data folder"[^\n]*"stopped"/, 'every part has stopped');

  const all = kept();
  const total = made(runs);
  t.same(
    all.map(({ seq }) => seq),
    all.map((_, index) => index + 1),
    `${all.length} reports, no number missing and none twice`,
  );
  const { stdout } = await agent('status', '--json').ended;
  const { queue } = JSON.parse(stdout) as { queue: { depth: number; losses: unknown[] } };
  t.same(queue.losses, [], 'nothing was dropped');
  // What was made between the last look and the stop waits in the queue; what the kill cut short was never told.
  t.ok(all.length + queue.depth >= total, `${total} reports were made, ${all.length} arrived, ${queue.depth} wait`);
  return all.map(({ report }) => report);
}

/** Reports the agents say they have queued. */
function made(runs: readonly Launched[]): number {
  const found = runs.flatMap((run) => [...run.output().matchAll(/"reports":(\d+),[^\n]*"msg":"checks done"/g)]);
  return found.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** The last word on each subject of a check: `{ Eventlog: 'pass' }`. */
export function lastStatuses(reports: readonly Report[], check: string): Record<string, string | undefined> {
  const results = reports.flatMap((report) => report.results).filter((result) => result.check === check);
  return Object.fromEntries(results.map(({ subject, status }) => [subject, statusFromWire(status)]));
}
