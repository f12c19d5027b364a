import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { collectOutput } from './collect-output.ts';
import type { OutputEncoding } from './decode-output.ts';

export interface ToolOptions {
  /** Then the whole process group is killed. Default 10000. */
  readonly timeoutMs?: number;
  /** Kept of stdout and of stderr, each; more is cut, and the tool goes on. Default 1 MiB. */
  readonly maxBytes?: number;
  /** Replaces the environment, apart from PATH and LC_ALL=C, which are kept unless named here. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  /** Calls the run off: the group is killed. */
  readonly signal?: AbortSignal;
  /** Default utf8. `detect` is for programs of Windows, of which some write UTF-16. */
  readonly encoding?: OutputEncoding;
  /** Told each piece of stdout as it comes, kept or not; must not throw. */
  readonly onOutput?: (chunk: Buffer) => void;
}

export interface ToolResult {
  /** Exit code 0, in time, nothing cut off. */
  readonly ok: boolean;
  readonly stdout: string;
  /** What the tool said, or why it could not run. */
  readonly stderr: string;
  /** Null when it was killed or never ran. */
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  /** No such program, or not executable. */
  readonly missing: boolean;
  /** stdout or stderr was longer than `maxBytes`. */
  readonly truncated: boolean;
  readonly aborted: boolean;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;
type End = 'exited' | 'timedOut' | 'aborted';

/** Silence for this long after the tool's end means that whoever still holds its pipes is a daemon it left behind. */
const SILENCE_MS = 200;

/**
 * Runs a program by its argv, never through a shell, and never throws for what the program does. Locale is C so that
 * its words can be parsed. It leads its own process group, so a tool that forks is killed with its children.
 */
export function runTool(argv: readonly [string, ...string[]], options: ToolOptions = {}): Promise<ToolResult> {
  if (options.signal?.aborted) return Promise.resolve({ ...neverRan('called off before it began'), aborted: true });
  let child: Child;
  try {
    child = spawn(argv[0], argv.slice(1), {
      detached: process.platform !== 'win32',
      env: { ...baseEnv(), ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
  } catch (error) {
    // An argument list that is too long, or a NUL byte in it.
    return Promise.resolve(neverRan((error as Error).message));
  }
  return follow(child, options);
}

function follow(child: Child, options: ToolOptions): Promise<ToolResult> {
  const { timeoutMs = 10_000, maxBytes = 1024 * 1024, signal, encoding, onOutput } = options;
  const out = collectOutput(child.stdout, maxBytes, encoding);
  const err = collectOutput(child.stderr, maxBytes, encoding);
  if (onOutput !== undefined) child.stdout.on('data', onOutput);
  return new Promise((resolve) => {
    let end: End = 'exited';
    let silence: NodeJS.Timeout | undefined;

    const finish = (exitCode: number | null) => {
      stopWatching();
      const truncated = out.isTruncated() || err.isTruncated();
      resolve({
        ok: exitCode === 0 && end === 'exited' && !truncated,
        stdout: out.text(),
        stderr: err.text(),
        exitCode: end === 'exited' ? exitCode : null,
        timedOut: end === 'timedOut',
        missing: false,
        truncated,
        aborted: end === 'aborted',
      });
    };
    const finishWhenSilent = (exitCode: number | null) => {
      const before = out.bytes() + err.bytes();
      silence = setTimeout(() => {
        if (out.bytes() + err.bytes() === before || end !== 'exited') finish(exitCode);
        else finishWhenSilent(exitCode);
      }, SILENCE_MS);
    };
    const cutShort = (reason: End) => () => {
      end = reason;
      killGroup(child);
    };
    const onAbort = cutShort('aborted');
    const timer = setTimeout(cutShort('timedOut'), timeoutMs);
    const stopWatching = () => {
      clearTimeout(timer);
      clearTimeout(silence);
      signal?.removeEventListener('abort', onAbort);
      child.removeAllListeners();
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    };
    child.once('error', (fault: NodeJS.ErrnoException) => {
      stopWatching();
      resolve({ ...neverRan(fault.message), missing: fault.code === 'ENOENT' || fault.code === 'EACCES' });
    });
    child.once('exit', finishWhenSilent);
    child.once('close', finish);
    signal?.addEventListener('abort', onAbort, { once: true });
    // A tool that does not read its input closes the pipe: that is its choice, not a fault of ours.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input);
  });
}

function neverRan(stderr: string): ToolResult {
  return {
    ok: false,
    stdout: '',
    stderr,
    exitCode: null,
    timedOut: false,
    missing: false,
    truncated: false,
    aborted: false,
  };
}

function baseEnv(): Record<string, string> {
  const kept: Record<string, string> = { LC_ALL: 'C' };
  // Windows programs do not start without SystemRoot.
  for (const name of ['PATH', 'SystemRoot', 'windir', 'TEMP', 'TMP', 'PATHEXT']) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

function killGroup(child: Child): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is gone already.
  }
}
