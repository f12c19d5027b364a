import { readdirSync, readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 20;

/** Everything that was ever seen in the arguments and environments of this process's descendants. */
export interface ProcessWatch {
  readonly argv: ReadonlySet<string>;
  readonly environ: ReadonlySet<string>;
  stop(): void;
}

export function watchProcesses(): ProcessWatch {
  const argv = new Set<string>();
  const environ = new Set<string>();
  const look = () => {
    for (const pid of descendants()) {
      argv.add(readOf(pid, 'cmdline'));
      environ.add(readOf(pid, 'environ'));
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  look();
  return { argv, environ, stop: () => clearInterval(timer) };
}

function descendants(): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    // The name of the program stands in brackets and may hold anything.
    const stat = readOf(pid, 'stat');
    parents.set(pid, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  return [...parents.keys()].filter((pid) => {
    for (let at = parents.get(pid); at !== undefined && at > 1; at = parents.get(at))
      if (at === process.pid) return true;
    return false;
  });
}

/** Empty when the process is gone. */
function readOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}
