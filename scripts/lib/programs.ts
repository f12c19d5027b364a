// Starts Sitewarden's programs as real processes and waits until each says it is ready. Used by `npm start`, by the
// simulator and by tests.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { patient } from './wait.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const KEPT_LINES = 400;
/** Types are stripped and code compiled once, not at every start: a second of work for each program. */
const COMPILE_CACHE = join(ROOT, 'node_modules', '.cache', 'sitewarden-compiled');

export const ENTRIES = {
  relay: join(ROOT, 'relay', 'bin', 'sitewarden-relay.ts'),
  appliance: join(ROOT, 'appliance', 'bin', 'sitewarden-appliance.ts'),
  agent: join(ROOT, 'agent', 'bin', 'sitewarden-agent.ts'),
} as const;
export type ProgramName = keyof typeof ENTRIES;

/** A program that was started, whether it is ready or not. */
export interface Spawned {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** The last lines of both streams. */
  output(): string;
  /** SIGTERM, and SIGKILL when it is not gone after `graceMs`. */
  stop(graceMs?: number): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): void;
}

export interface Running extends Spawned {
  /** What the program printed with `"ready":true`. */
  readonly ready: Record<string, unknown>;
}

export interface StartOptions {
  name: string;
  entry: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  nodeArgs?: readonly string[];
  /** A command that runs the one after it, like `strace -D ...`: the process id must stay the program's. */
  wrapper?: readonly string[];
  /** Resolve at the first line for which this answers; default: a JSON line with ready true. */
  isReady?: (line: string) => Record<string, unknown> | undefined;
  /** Default: patiently 30 s. */
  timeoutMs?: number;
  onLine?: (line: string) => void;
  /** Told at once, while the program is still on its way to be ready. Not when it cannot be started at all. */
  onSpawned?: (program: Spawned) => void;
}

export function startProgram(options: StartOptions): Promise<Running> {
  const bare = nodeCommand([...(options.nodeArgs ?? []), options.entry, ...options.args]);
  const [command, ...args] = [...(options.wrapper ?? []), ...bare] as typeof bare;
  const child = spawn(command, args, {
    env: { ...programEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return untilReady(child, options);
}

/** Runs a command of a program to its end. Throws with its output when it fails. */
export async function runProgram(name: ProgramName, args: readonly string[], input = ''): Promise<string> {
  const [command, ...rest] = nodeCommand([ENTRIES[name], ...args]);
  const child = spawn(command, rest, { env: programEnvironment(), stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`sitewarden-${name} ${args[0] ?? ''} ended with ${code}: ${(err || out).trim()}`);
  return out;
}

/**
 * What programs are started with, as the units in nix/modules do. Node keys the cache by content, so it is never stale;
 * an allocator with an arena for each thread would hold on to a sixth more memory.
 */
export function programEnvironment(): NodeJS.ProcessEnv {
  return { NODE_COMPILE_CACHE: COMPILE_CACHE, MALLOC_ARENA_MAX: '2', ...process.env };
}

/**
 * A test runner hands its loader hooks to every child it sees, through NODE_OPTIONS; the programs must run as they would
 * anywhere else. `env` replaces itself with Node, so the process id is the program's.
 */
export function nodeCommand(args: readonly string[]): [string, ...string[]] {
  const isHooked = process.env.NODE_OPTIONS !== undefined && process.platform !== 'win32';
  return isHooked ? ['env', '-u', 'NODE_OPTIONS', process.execPath, ...args] : [process.execPath, ...args];
}

function untilReady(child: ChildProcess, options: StartOptions): Promise<Running> {
  const { name, timeoutMs = patient(30_000), isReady = readyLine } = options;
  const lines: string[] = [];
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  );
  const stop: Running['stop'] = async (graceMs = 10_000) => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    const end = await exited;
    clearTimeout(timer);
    return end;
  };
  const output = () => lines.join('\n');
  const spawned = {
    name,
    pid: child.pid as number,
    exited,
    output,
    stop,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
  };
  if (child.pid !== undefined) options.onSpawned?.(spawned);
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`${name} ${why}. Its last lines:\n${output()}`));
    };
    const timer = setTimeout(() => fail(`was not ready within ${timeoutMs} ms`), timeoutMs);
    const read = (line: string) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      options.onLine?.(line);
      const ready = isReady(line);
      if (!ready) return;
      clearTimeout(timer);
      resolve({ ...spawned, ready });
    };
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', read);
    }
    child.on('error', (error) => fail(`did not start: ${error.message}`));
    void exited.then(({ code, signal }) => fail(`ended with ${signal ?? code} before it was ready`));
  });
}

export function readyLine(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value = JSON.parse(line) as Record<string, unknown>;
    return value.ready === true ? value : undefined;
  } catch {
    return undefined;
  }
}
