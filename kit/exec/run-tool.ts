import { type ChildProcess, spawn } from 'node:child_process';

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
}

export interface ToolResult {
  /** Exit code 0, in time, nothing cut off. */
  readonly ok: boolean;
  readonly stdout: string;
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

/**
 * Runs a program by its argv, never through a shell, and never throws for what the program does. Locale is C so that
 * its words can be parsed. It leads its own process group, so a tool that forks is killed with its children.
 */
export function runTool(argv: readonly [string, ...string[]], options: ToolOptions = {}): Promise<ToolResult> {
  const { timeoutMs = 10_000, maxBytes = 1024 * 1024, signal } = options;
  return new Promise((resolve) => {
    const child = spawn(argv[0], argv.slice(1), {
      detached: process.platform !== 'win32',
      env: { ...baseEnv(), ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const out = collect(child.stdout, maxBytes);
    const err = collect(child.stderr, maxBytes);
    let timedOut = false;
    let aborted = false;
    const onAbort = () => {
      aborted = true;
      killGroup(child);
    };
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child);
    }, timeoutMs);
    let isDone = false;
    const finish = (exitCode: number | null, fault?: NodeJS.ErrnoException) => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      child.stdout.destroy();
      child.stderr.destroy();
      const truncated = out.truncated || err.truncated;
      resolve({
        ok: exitCode === 0 && !timedOut && !aborted && !truncated,
        stdout: out.text(),
        stderr: fault === undefined ? err.text() : fault.message,
        exitCode: timedOut || aborted ? null : exitCode,
        timedOut,
        missing: fault?.code === 'ENOENT' || fault?.code === 'EACCES',
        truncated,
        aborted,
      });
    };
    child.once('error', (fault) => finish(null, fault));
    child.once('close', (code) => finish(code));
    // A grandchild that left the group can hold the pipes open for good; its leader's end plus a moment is enough.
    child.once('exit', (code) => setTimeout(() => finish(code), 250).unref());
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    // A tool that does not read its input closes the pipe: that is its choice, not a fault of ours.
    child.stdin.once('error', () => {});
    child.stdin.end(options.input);
  });
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

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is gone already.
  }
}

function collect(stream: NodeJS.ReadableStream, maxBytes: number): { text(): string; readonly truncated: boolean } {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let truncated = false;
  stream.on('data', (chunk: Buffer) => {
    const room = maxBytes - bytes;
    if (chunk.length > room) truncated = true;
    if (room <= 0) return;
    const kept = chunk.length > room ? chunk.subarray(0, room) : chunk;
    chunks.push(kept);
    bytes += kept.length;
  });
  return {
    text: () => Buffer.concat(chunks).toString('utf8'),
    get truncated() {
      return truncated;
    },
  };
}
