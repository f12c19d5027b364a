import { processIdentity } from '@sitewarden/kit/services';
import { waitFor } from '../lib/wait.ts';
import type { StartedProgram } from './remembered.ts';

const GRACE_MS = 10_000;
const KILLED_MS = 5000;

/** The process under its name for good, to find it again after this one is gone. */
export async function identify(name: string, pid: number): Promise<StartedProgram[]> {
  const identity = await processIdentity(pid);
  return identity === undefined ? [] : [{ name, pid, identity }];
}

/** Ends what an earlier start left running when it was killed, and nothing else; answers the names. */
export async function stopLeftovers(programs: readonly StartedProgram[]): Promise<string[]> {
  const stopped: string[] = [];
  // The one started last first: each needs those before it.
  for (const program of programs.toReversed()) {
    if (!(await isRunning(program))) continue;
    await end(program);
    stopped.push(`${program.name} (process ${program.pid})`);
  }
  return stopped;
}

const isRunning = async ({ pid, identity }: StartedProgram): Promise<boolean> =>
  (await processIdentity(pid)) === identity;

async function end(program: StartedProgram): Promise<void> {
  const isGone = async () => !(await isRunning(program));
  process.kill(program.pid, 'SIGTERM');
  try {
    await waitFor(`the end of ${program.name}`, isGone, GRACE_MS);
  } catch {
    process.kill(program.pid, 'SIGKILL');
    await waitFor(`the end of ${program.name}, process ${program.pid}`, isGone, KILLED_MS);
  }
}
