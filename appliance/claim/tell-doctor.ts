import type { Logger } from '@sitewarden/kit/log';
import type { Clock } from '@sitewarden/kit/time';
import type { DoctorLine } from '../doctor/index.ts';
import { shownError } from '../lib/shown-error.ts';
import type { ClaimCalls } from './relay-calls.ts';

const EVERY_MS = 60_000;

export interface DoctorTeller {
  /** Examines the way and tells the relay, when that is due; the claim does not wait for it. */
  wake(session: string): void;
  /** Resolves once nothing runs any more. */
  settled(): Promise<void>;
}

/** Who stands before the box with a phone sees there what the box sees of its way: once for each session, and then each minute. */
export function createDoctorTeller(options: {
  readonly calls: Pick<ClaimCalls, 'tellDoctor'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Logger;
  examine(): Promise<readonly DoctorLine[]>;
}): DoctorTeller {
  const { calls, clock, log, examine } = options;
  let told: { readonly session: string; readonly atMs: number } | undefined;
  let running: Promise<void> | undefined;

  async function tell(session: string): Promise<void> {
    try {
      await calls.tellDoctor({ session, findings: [...(await examine())] });
    } catch (error) {
      const { code, message } = shownError(error);
      log.debug({ code }, `the findings were not told: ${message}`);
    }
  }

  return {
    wake(session) {
      const atMs = clock.monotonicMs();
      if (running !== undefined || (told?.session === session && atMs - told.atMs < EVERY_MS)) return;
      told = { session, atMs };
      running = tell(session).finally(() => {
        running = undefined;
      });
    },
    settled: async () => await running,
  };
}
