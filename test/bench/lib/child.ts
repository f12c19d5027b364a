import { type ChildProcess, fork } from 'node:child_process';
import { resolve as resolvePath } from 'node:path';
import { programEnvironment } from '../../../scripts/lib/programs.ts';

export interface Child<I, O> {
  readonly pid: number;
  /** One question at a time; answers are told apart by their order only. */
  ask(question: I): Promise<O>;
  stop(): Promise<void>;
}

/** A script of `test/bench/children`, or at a full path, as a process of its own; resolves when it has sent its first message. */
export async function startChild<I extends object, O, R = unknown>(
  script: string,
  args: readonly string[] = [],
): Promise<{ child: Child<I, O>; ready: R }> {
  const { NODE_OPTIONS: _options, ...env } = programEnvironment();
  const path = resolvePath(import.meta.dirname, '..', 'children', script);
  const forked = fork(path, [...args], { env, serialization: 'advanced' });
  const next = () => nextMessage(forked, script);
  const ready = (await next()) as R;
  return {
    ready,
    child: {
      pid: forked.pid as number,
      async ask(question) {
        const answer = next();
        forked.send(question);
        return (await answer) as O;
      },
      stop: () =>
        new Promise((resolve) => {
          if (forked.exitCode !== null || forked.signalCode !== null) return resolve();
          forked.once('exit', () => resolve());
          forked.kill('SIGKILL');
        }),
    },
  };
}

function nextMessage(child: ChildProcess, script: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`${script} ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      const failure = (message as { failure?: string }).failure;
      if (failure === undefined) resolve(message);
      else reject(new Error(`${script}: ${failure}`));
    });
  });
}

/** The other end: answers each question with what `answer` makes of it. */
export function serveParent<I, O>(ready: object, answer: (question: I) => Promise<O>): void {
  process.on('message', (question) => {
    answer(question as I).then(
      (value) => process.send?.(value),
      (error: unknown) => process.send?.({ failure: error instanceof Error ? (error.stack ?? error.message) : error }),
    );
  });
  process.send?.(ready);
}
