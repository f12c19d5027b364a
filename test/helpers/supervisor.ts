import { type Launched, launch } from './packed-life.ts';

export interface Supervisor {
  /** The process that was started last. */
  readonly now: Launched;
  /** Exit codes and signals, oldest first. */
  readonly ends: readonly (number | string | null)[];
  /** What all of them printed. */
  output(): string;
  /** SIGTERM, and no further start. */
  stop(): Promise<void>;
}

export interface Supervised {
  /** Looked at anew at each start: the program file may be another one by then. */
  readonly argv: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  readonly dir: string;
}

/** As a service manager with Restart=always: whatever ends is started again. */
export function supervise({ argv, env, dir }: Supervised): Supervisor {
  const all: Launched[] = [];
  const ends: (number | string | null)[] = [];
  let isStopping = false;
  let settled: Promise<unknown> = Promise.resolve();
  const start = (): void => {
    const started = launch(argv, env, dir);
    all.push(started);
    settled = started.ended.then(({ code }) => {
      ends.push(code ?? started.child.signalCode);
      if (!isStopping) start();
    });
  };
  start();
  return {
    get now() {
      return all.at(-1)!;
    },
    ends,
    output: () => all.map((one) => one.output()).join(''),
    async stop() {
      isStopping = true;
      all.at(-1)?.child.kill('SIGTERM');
      await settled;
    },
  };
}
