import { nextDelayMs, RETRY_SCHEDULES } from '@sitewarden/kit/backoff';
import type { Logger } from '@sitewarden/kit/log';

export interface LoopOptions {
  readonly name: string;
  readonly log: Logger;
  /** One bounded turn of work; answers whether more is waiting. Never called while one runs. */
  turn(): boolean | Promise<boolean>;
  /** Looks for work this often even when nobody called wake(). Default 1000. */
  readonly pollMs?: number;
  onError?(error: unknown): void;
}

export interface Loop {
  readonly name: string;
  start(): void;
  /** Resolves when the running turn is over; no other begins. */
  stop(): Promise<void>;
  wake(): void;
  /** Runs turns until none finds work. For tests and for draining at the end. */
  settle(): Promise<void>;
}

/** Turns are separated by setImmediate, so sockets are served between them; failed ones are tried again with jitter. */
export function createLoop(options: LoopOptions): Loop {
  const { name, log, pollMs = 1000 } = options;
  let isOn = false;
  let isWoken = false;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;

  async function run(): Promise<void> {
    let hasMore = true;
    while (hasMore) {
      isWoken = false;
      hasMore = await options.turn();
      failures = 0;
      if (hasMore || isWoken) {
        hasMore = true;
        await new Promise(setImmediate);
      }
      if (!isOn) return;
    }
  }

  function begin(): void {
    clearTimeout(timer);
    running = run()
      .catch((error: unknown) => {
        log.error({ stage: name, err: error, failures }, 'stage failed, will retry');
        failures += 1;
        options.onError?.(error);
      })
      .finally(() => {
        running = undefined;
        if (!isOn) return;
        if (isWoken && failures === 0) begin();
        else timer = setTimeout(begin, failures === 0 ? pollMs : retryMs());
      });
  }

  const retryMs = () => 50 + nextDelayMs({ ...RETRY_SCHEDULES.local, attempt: failures, random: Math.random });

  return {
    name,
    start() {
      if (isOn) return;
      isOn = true;
      begin();
    },
    async stop() {
      isOn = false;
      clearTimeout(timer);
      await running;
    },
    wake() {
      isWoken = true;
      if (isOn && running === undefined && failures === 0) begin();
    },
    async settle() {
      await running;
      while (await options.turn()) await new Promise(setImmediate);
    },
  };
}
