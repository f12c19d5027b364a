import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { CheckOutcome } from '../../../agent/collect/index.ts';

const CHILD = fileURLToPath(new URL('./children/run-one.ts', import.meta.url));

/** Runs one check in a process of its own, behind `wrapper` (argv of what sets the scene). */
export async function runOne(check: string, wrapper: readonly string[] = []): Promise<CheckOutcome[]> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const [program, ...args] = [...wrapper, process.execPath, CHILD, check];
  const { stdout } = await promisify(execFile)(program!, args, { env, timeout: 60_000 });
  return JSON.parse(stdout);
}
