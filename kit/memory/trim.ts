import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Loading is over by then. */
const FIRST_LOOK_MS = 5000;
const LOOK_EVERY_MS = 60_000;
/** A burst leaves a young generation of up to 128 MB; an idle process needs none of it. */
const WORTH_BYTES = 16 * 1024 * 1024;
/** Busier processes would only ask for the memory again. */
const IDLE_SHARE = 0.1;

/**
 * Gives memory back that a burst needed and rest does not: V8 lets its young generation grow while modules load or
 * reports pour in, and on an idle process no collection ever comes to make it small again. Looks once a minute, works
 * only on an idle process, and costs it some tens of milliseconds. Answers the function that ends it; keeps no process alive.
 */
export function startMemoryTrim(): () => void {
  let cpu = process.cpuUsage();
  let atMs = performance.now();
  const look = () => {
    const { user, system } = process.cpuUsage(cpu);
    const nowMs = performance.now();
    const busyShare = (user + system) / 1000 / (nowMs - atMs);
    if (isTrimDue({ busyShare, youngBytes: youngBytes() })) trimMemory();
    cpu = process.cpuUsage();
    atMs = performance.now();
  };
  let timer = setTimeout(() => {
    // Start-up is a burst by itself: the first look does not ask how busy it was.
    if (isTrimDue({ busyShare: 0, youngBytes: youngBytes() })) trimMemory();
    cpu = process.cpuUsage();
    atMs = performance.now();
    timer = setInterval(look, LOOK_EVERY_MS).unref();
  }, FIRST_LOOK_MS).unref();
  return () => clearTimeout(timer);
}

/** Pure. `busyShare` of one core since the last look. */
export function isTrimDue({ busyShare, youngBytes }: { busyShare: number; youngBytes: number }): boolean {
  return busyShare < IDLE_SHARE && youngBytes > WORTH_BYTES;
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
}

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;
let collect: Collect | undefined;

/** Collects everything and gives free pages back to the system. The program waits meanwhile. */
export function trimMemory(): void {
  if (collect === undefined) {
    // The function is taken from a context of its own: nothing else in the program gets to see it.
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as Collect;
  }
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
