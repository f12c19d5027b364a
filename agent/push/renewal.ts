import { nextDelayMs, type RetrySchedule } from '@sitewarden/kit/backoff';
import type { Logger } from '@sitewarden/kit/log';
import type { Clock } from '@sitewarden/kit/time';
import { agentErrors } from '../errors.ts';
import type { AgentIdentity } from '../identity/index.ts';

export interface Renewal {
  /** Renews when two thirds of the certificate's life are over. Failing is no harm while it is valid. */
  renewIfDue(): Promise<'removed' | undefined>;
  /** A signal that fires with `outer`, and when the certificate is due: the session then makes room for renewal. */
  arm(outer: AbortSignal): AbortSignal;
  disarm(): void;
}

export interface RenewalOptions {
  readonly identity: AgentIdentity;
  readonly address: string;
  readonly clock: Clock;
  readonly log: Logger;
  random(): number;
}

/** A certificate lives for weeks and is renewed with a third left; hourly tries are plenty. */
const RENEWAL_RETRY: RetrySchedule = { baseMs: 5_000, capMs: 3_600_000 };
/** Timers run on a clock that may differ from the wall by hours after a sleep of the machine. */
const MAX_TIMER_MS = 600_000;

export function createRenewal({ identity, address, clock, log, random }: RenewalOptions): Renewal {
  let failures = 0;
  let notBeforeMs = 0;
  let timer: NodeJS.Timeout | undefined;

  const isDue = () => clock.nowMs() >= identity.renewalDueMs && clock.monotonicMs() >= notBeforeMs;

  return {
    async renewIfDue() {
      if (!isDue()) return undefined;
      try {
        await identity.renew(address);
        failures = 0;
        // Whatever dates a certificate bears, renewing must not become a loop.
        notBeforeMs = clock.monotonicMs() + Math.max(0, identity.notAfterMs - clock.nowMs()) / 3;
        log.info({ notAfterMs: identity.notAfterMs }, 'certificate renewed');
      } catch (error) {
        if (agentErrors.is(error, 'AGENT_REMOVED')) return 'removed';
        notBeforeMs = clock.monotonicMs() + nextDelayMs({ ...RENEWAL_RETRY, attempt: failures++, random });
        log.warn({ err: error, notAfterMs: identity.notAfterMs }, 'certificate not renewed');
      }
      return undefined;
    },
    arm(outer) {
      const due = new AbortController();
      const look = () => {
        if (isDue()) due.abort();
        else timer = setTimeout(look, waitMs());
      };
      const waitMs = () => {
        const leftMs = Math.max(identity.renewalDueMs - clock.nowMs(), notBeforeMs - clock.monotonicMs());
        return Math.min(Math.max(leftMs, 100), MAX_TIMER_MS);
      };
      timer = setTimeout(look, waitMs());
      return AbortSignal.any([outer, due.signal]);
    },
    disarm() {
      clearTimeout(timer);
    },
  };
}
