import { readFile } from 'node:fs/promises';
import { isProcessAlive } from '../files/index.ts';
import { bootId } from '../time/index.ts';

/**
 * Names one process for good: a pid comes back after a while, together with the boot and its start time (clock ticks
 * since boot, field 22 of /proc/<pid>/stat) it does not. Undefined when no such process runs; a zombie does not run.
 * Elsewhere than on Linux only the pid is looked at.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return isProcessAlive(pid) ? 'alive' : undefined;
  try {
    const startTime = parseStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
    return startTime === undefined ? undefined : `${startTime} ${bootId()}`;
  } catch {
    return undefined;
  }
}

/** The start time. The command may hold spaces and brackets, so fields are counted after the last bracket: state is the 3rd. */
export function parseStat(text: string): string | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}
