import { readFileSync } from 'node:fs';

const TICKS_PER_S = 100;
const PAGE_BYTES = 4096;

/** User and system time of a process so far, in seconds. Linux only. */
export function cpuSeconds(pid: number): number {
  // The command's name may hold spaces; the fields after its bracket do not.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/** Resident memory of a process in MB (10^6 bytes). Linux only. */
export function rssMb(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return (pages * PAGE_BYTES) / 1e6;
}
