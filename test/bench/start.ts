import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Figure } from './benches.ts';
import { median, rounded } from './lib/figures.ts';

const ROUNDS = 3;
const ROOT = join(import.meta.dirname, '..', '..');
const CHECKED_IN = /the box is claimed and has checked in$/;
const DEADLINE_MS = 90_000;

/** `npm start` into an empty data folder, dependencies installed: from the spawn to the check-in the relay shows. */
export async function run(): Promise<Figure[]> {
  // Installing and building are not what is measured.
  execFileSync('npm', ['run', 'setup', '--silent'], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  const checkedIn: number[] = [];
  const ready: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const one = await startOnce();
    checkedIn.push(one.checkedInS);
    ready.push(one.readyS);
  }
  const rounds = `${ROUNDS} rounds`;
  return [
    { name: 'start', value: rounded(median(checkedIn)), unit: 's', control: null, ratio: null, note: rounds },
    {
      name: 'start-ready',
      value: rounded(median(ready)),
      unit: 's',
      control: null,
      ratio: null,
      note: `until the ready line: agent enrolled and all of this host's checks shown by the relay; ${rounds}`,
    },
  ];
}

async function startOnce(): Promise<{ checkedInS: number; readyS: number }> {
  const base = mkdtempSync(join(tmpdir(), 'sitewarden-bench-'));
  const { NODE_OPTIONS: _options, ...env } = process.env;
  const fromMs = performance.now();
  // A process group of its own, so that stopping it stops npm and all it started.
  const npm = spawn('npm', ['start', '--silent', '--', '--json', '--data-dir', join(base, 'data')], {
    cwd: ROOT,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  try {
    const seconds = () => (performance.now() - fromMs) / 1000;
    const checkedIn = lineOf(npm, 'stderr', (line) => CHECKED_IN.test(line)).then(seconds);
    const ready = lineOf(npm, 'stdout', (line) => line.startsWith('{"ready":true')).then(seconds);
    ready.catch(() => {});
    const checkedInS = await checkedIn;
    return { checkedInS, readyS: await ready };
  } finally {
    await stop(npm);
    rmSync(base, { recursive: true, force: true });
  }
}

function lineOf(child: ChildProcess, stream: 'stdout' | 'stderr', matches: (line: string) => boolean): Promise<void> {
  const seen: string[] = [];
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`npm start ${why}. It said:\n${seen.slice(-40).join('\n')}`));
    const timer = setTimeout(() => fail(`took longer than ${DEADLINE_MS} ms`), DEADLINE_MS);
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`ended with ${code}`);
    });
    createInterface({ input: child[stream]! }).on('line', (line) => {
      seen.push(line);
      if (!matches(line)) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Resolves once nothing of the group is left. */
async function stop(child: ChildProcess): Promise<void> {
  const group = -(child.pid as number);
  const signal = (name: NodeJS.Signals | 0): boolean => {
    try {
      return process.kill(group, name);
    } catch {
      return false;
    }
  };
  signal('SIGTERM');
  for (const endMs = performance.now() + 20_000; signal(0); ) {
    if (performance.now() > endMs) signal('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
