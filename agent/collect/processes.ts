import { readdir, readFile } from 'node:fs/promises';

export interface ProcessEntry {
  readonly pid: number;
  /** /proc/PID/comm, cut by the kernel at 15 characters. */
  readonly comm: string;
  /** argv[0]; empty for kernel threads. Later arguments are never read: they can hold secrets. */
  readonly program: string;
}

const MAX_PROCESSES = 20_000;

/**
 * Processes of this machine, or undefined when the kernel hides those of others (`hidepid`): a list with holes would
 * make a running engine look stopped.
 */
export async function listProcesses(): Promise<ProcessEntry[] | undefined> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).slice(0, MAX_PROCESSES);
  if (!pids.includes('1')) return undefined;
  const entries = await Promise.all(pids.map(readProcess));
  return entries.filter((entry) => entry !== undefined);
}

/** undefined when it ended between the listing and the read. */
async function readProcess(pid: string): Promise<ProcessEntry | undefined> {
  try {
    const [comm, cmdline] = await Promise.all([
      readFile(`/proc/${pid}/comm`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    const end = cmdline.indexOf('\0');
    return { pid: Number(pid), comm: comm.trim(), program: end < 0 ? cmdline : cmdline.slice(0, end) };
  } catch {
    return undefined;
  }
}
