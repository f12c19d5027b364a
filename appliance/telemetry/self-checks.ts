import { AGENT_LIMITS, Report } from '@sitewarden/agent-proto/agent';
import { isCodedError } from '@sitewarden/kit/errors';
import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { detectServiceManager, type ServiceManager } from '@sitewarden/kit/services';
import { withTransaction } from '@sitewarden/kit/sqlite';
import type { BOX_CHECKS } from '../lib/box-checks.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { createLoop } from '../lib/loop.ts';
import { BOX, isDiskFault, relayOrders, reports, resultsOfSource } from '../store/index.ts';
import { type ServiceObservation, serviceResult } from './service-result.ts';

export interface SelfChecks extends LifecyclePart {
  /** Looks now; resolves when the report is on disk. */
  runOnce(orderId?: string): Promise<void>;
}

export interface SelfCheckOptions {
  readonly services?: ServiceManager;
  /** Default 60000. */
  readonly everyMs?: number;
}

const CHECK = 'services' satisfies (typeof BOX_CHECKS)[number];

/** The box checks itself as its agents check theirs: a report in the journal, assessed by the same stage. */
export function createSelfChecks(ctx: ApplianceContext, options: SelfCheckOptions = {}): SelfChecks {
  const { clock, config, log, signals } = ctx;
  const services = options.services ?? detectServiceManager({ pidfileDir: config.services.pidfileDir });
  async function observe(service: string): Promise<ServiceObservation> {
    // Before the look: what changes during it must not count as seen.
    const collectedAtMs = clock.nowMs();
    const beganMs = clock.monotonicMs();
    const done = () => ({ service, collectedAtMs, durationMs: Math.round(clock.monotonicMs() - beganMs) });
    try {
      const { state, detail } = await services.status(service);
      return { ...done(), manager: services.kind, state, detail };
    } catch (error) {
      const probeError = isCodedError(error) ? error.message : 'The service manager could not be asked.';
      return { ...done(), manager: services.kind, state: 'unknown', probeError };
    }
  }

  /** Services that were required once: without a last word their incidents would stay open for ever. */
  function noLongerRequired(): ServiceObservation[] {
    const rest = {
      state: 'not_required',
      manager: services.kind,
      collectedAtMs: clock.nowMs(),
      durationMs: 0,
    } as const;
    const required: readonly string[] = config.box.requiredServices;
    const left = resultsOfSource(ctx.db, BOX)
      .filter(({ check, subject, status }) => check === CHECK && subject !== '' && status !== 'not_applicable')
      .filter(({ subject }) => !required.includes(subject))
      .map(({ subject }) => ({ service: subject, ...rest }));
    return required.length === 0 ? [{ service: '', ...rest }, ...left] : left;
  }

  async function runOnce(orderId = ''): Promise<void> {
    const seen = await Promise.all(config.box.requiredServices.map(observe));
    const results = [...seen, ...noLongerRequired()].slice(0, AGENT_LIMITS.maxResultsPerReport).map(serviceResult);
    withTransaction(ctx.db, (db) => {
      const seq = reports.lastSeqOfBox(db) + 1;
      const body = Report.encode({ seq, results, rmmFindings: [], orderId, rmmLooked: false }).finish();
      reports.insert(db, { source: BOX, seq, receivedAtMs: clock.nowMs(), orderId, body });
      if (orderId !== '') relayOrders.setBoxChecked(db, orderId);
    });
    signals.emit('report');
    if (orderId !== '') signals.emit('boxChecked');
  }

  const loop = createLoop({
    name: 'self-checks',
    log,
    pollMs: options.everyMs ?? 60_000,
    onError(error) {
      if (isDiskFault(error)) signals.emit('diskFault', { error });
    },
    async turn() {
      // Read from its row each time: a look that a crash took is looked again.
      const orderId = relayOrders.boxWanted(ctx.db);
      await runOnce(orderId);
      return relayOrders.boxWanted(ctx.db) !== undefined;
    },
  });
  let off: () => void = () => {};

  return {
    name: 'self-checks',
    runOnce,
    start() {
      off = signals.on('selfCheck', ({ checks }) => {
        if (checks.length === 0 || checks.includes(CHECK)) loop.wake();
      });
      loop.start();
    },
    async stop() {
      off();
      await loop.stop();
    },
  };
}
