import { isCodedError, kitErrors } from '../errors/index.ts';

export interface LifecyclePart {
  readonly name: string;
  start(): Promise<void> | void;
  stop(): Promise<void> | void;
}

export interface LifecycleOptions {
  /** Where the steps are told; a pino logger fits. */
  readonly log?: { info(object: object, text: string): void; error(object: object, text: string): void } | undefined;
  /** Once it is aborted, a part that fails to start was called off: no fault. */
  readonly signal?: AbortSignal | undefined;
  /** How long one part may take to stop. Default 5000. */
  readonly stopTimeoutMs?: number;
}

export interface Lifecycle {
  /** Starts the parts in order. When one fails, those already started are stopped in reverse and its error is thrown.
   * A stop asked for meanwhile ends the start early. */
  start(): Promise<void>;
  /** Stops in reverse what was started; goes on past failures and answers them. Idempotent. */
  stop(): Promise<Error[]>;
  /** Names of the parts running now, in start order. */
  readonly running: readonly string[];
}

/** A coded error says all there is to say; the stack of any other is needed. */
const faultOf = (error: unknown): object =>
  isCodedError(error) ? { code: error.code, field: error.field, reason: error.message } : { err: error };

export function createLifecycle(parts: readonly LifecyclePart[], options: LifecycleOptions = {}): Lifecycle {
  const { log, stopTimeoutMs = 5000 } = options;
  const started: LifecyclePart[] = [];
  let isStopping = false;
  let stopping: Promise<Error[]> | undefined;

  async function start(): Promise<void> {
    if (isStopping) return;
    for (const part of parts) {
      const beganMs = performance.now();
      try {
        await part.start();
      } catch (error) {
        if (options.signal?.aborted) log?.info({ part: part.name }, 'start called off');
        else log?.error({ part: part.name, ...faultOf(error) }, 'start failed');
        await stop();
        throw error;
      }
      started.push(part);
      log?.info({ part: part.name, tookMs: since(beganMs) }, 'started');
      if (isStopping) {
        // The stop that was asked for while this part was starting did not see it.
        await stop();
        return;
      }
    }
  }

  function stop(): Promise<Error[]> {
    isStopping = true;
    stopping = (stopping ?? Promise.resolve([])).then(async (before) => [...before, ...(await stopStarted())]);
    return stopping;
  }

  async function stopStarted(): Promise<Error[]> {
    const faults: Error[] = [];
    for (let part = started.pop(); part !== undefined; part = started.pop()) {
      const beganMs = performance.now();
      try {
        await stopInTime(part, stopTimeoutMs);
        log?.info({ part: part.name, tookMs: since(beganMs) }, 'stopped');
      } catch (error) {
        faults.push(error instanceof Error ? error : new Error(String(error)));
        log?.error({ part: part.name, err: error }, 'stop failed');
      }
    }
    return faults;
  }

  return {
    start,
    stop,
    get running() {
      return started.map((part) => part.name);
    },
  };
}

async function stopInTime(part: LifecyclePart, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(kitErrors.make('LIFECYCLE_STOP_TIMEOUT', { detail: `${part.name} took more than ${timeoutMs} ms` }));
    }, timeoutMs);
  });
  try {
    await Promise.race([part.stop(), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

function since(beganMs: number): number {
  return Math.round(performance.now() - beganMs);
}
