import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

export type Child = ChildProcessByStdio<Writable, Readable, null>;

/** A script of this folder under the same Node; `before` puts a program such as strace in front. */
export function spawnScript(name: string, args: string[], before: string[] = []): Child {
  const [program, ...rest] = [...before, process.execPath, new URL(name, import.meta.url).pathname, ...args];
  return spawn(program!, rest, { stdio: ['pipe', 'pipe', 'inherit'], env: { PATH: process.env.PATH } });
}

export async function* linesOf(child: Child): AsyncGenerator<string> {
  for await (const line of createInterface({ input: child.stdout })) yield line;
}

export async function firstLine(child: Child): Promise<string> {
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return String(line);
}

export async function ended(child: Child): Promise<NodeJS.Signals | number | null> {
  if (child.exitCode !== null) return child.exitCode;
  if (child.signalCode !== null) return child.signalCode;
  const [code, signal] = await once(child, 'exit');
  return signal ?? code;
}
