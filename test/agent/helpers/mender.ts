import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeFacts, encodeFacts, type Facts, OrderState } from '@sitewarden/agent-proto/agent';
import type { TierNumber } from '@sitewarden/agent-proto/checks';
import type { ToolOptions, ToolResult } from '@sitewarden/kit/exec';
import { createLogger } from '@sitewarden/kit/log';
import { createPidfileManager, type ServiceManager } from '@sitewarden/kit/services';
import { systemClock } from '@sitewarden/kit/time';
import { agentErrors } from '../../../agent/errors.ts';
import {
  createHealer,
  type Healer,
  type HealerOptions,
  type Host,
  type Sight,
  thisHost,
} from '../../../agent/heal/index.ts';
import { type AgentQueue, openQueue } from '../../../agent/queue/index.ts';
import { toSiteConfig } from '../../../agent/site/index.ts';
import { changeTools } from '../../../agent/windows/index.ts';
import { until } from './wait.ts';

export interface MenderOptions {
  /** Exists. */
  readonly dir: string;
  readonly tier?: TierNumber;
  readonly requiredServices?: readonly string[];
  readonly host?: Host;
  readonly services?: ServiceManager;
  readonly look?: HealerOptions['look'];
  /** The appliance's clock minus ours. */
  readonly clockOffsetMs?: number;
}

export interface Answer {
  readonly state: string;
  readonly code: string;
  readonly detail: string;
  readonly before: Facts;
  readonly after: Facts;
}

export interface Mender {
  readonly queue: AgentQueue;
  readonly healer: Healer;
  /** The last receipt of the order. */
  give(action: string, params?: Facts, orderId?: string): Promise<Answer>;
  stop(): Promise<void>;
}

const STATES: Readonly<Record<number, string>> = {
  [OrderState.ORDER_STATE_DONE]: 'done',
  [OrderState.ORDER_STATE_FAILED]: 'failed',
  [OrderState.ORDER_STATE_REFUSED]: 'refused',
};

/** A healer with its real order log, without an appliance: what it answers is read from the log. */
export function makeMender(options: MenderOptions): Mender {
  const { dir, tier = 2, requiredServices = [], clockOffsetMs = 0 } = options;
  const queue = openQueue(dir, { maxRows: 1000, maxAgeMs: 1e10 }, systemClock);
  queue.reports.bindAgent('agt_1');
  const pidfileDir = join(dir, 'services');
  mkdirSync(pidfileDir, { recursive: true });
  const config = { ...toSiteConfig(undefined), tier, requiredServices };
  const healer = createHealer({
    orders: queue.orders,
    site: { config, isKnown: true, apply: () => {}, onChange: () => () => {} },
    services: options.services ?? createPidfileManager({ dir: pidfileDir }),
    runChecks: async () => ({ reports: 0, statuses: {} }),
    diagnose: () => ({}),
    updater: {
      version: '0.1.0',
      update: () =>
        Promise.reject(agentErrors.make('UPDATE_NOT_POSSIBLE', { detail: 'It is not the one-file program' })),
    },
    onHandedOver() {},
    clock: systemClock,
    log: createLogger({ name: 'agent', level: 'silent', destination: { write: () => {} } }),
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.look === undefined ? {} : { look: options.look }),
  });
  let count = 0;
  return {
    queue,
    healer,
    async give(action, params = {}, orderId = `ord_${++count}`) {
      const sent = { orderId, action, params: encodeFacts(params), expiresAtMs: Date.now() + 1e9, requestedBy: 'test' };
      const before = queue.orders.waiting(0, 10_000).at(-1)?.position ?? 0;
      healer.submit(sent, clockOffsetMs);
      const receipt = await until(
        `an end of ${action}`,
        () =>
          queue.orders
            .waiting(before, 10_000)
            .findLast(({ receipt: one }) => one.orderId === orderId && one.state !== OrderState.ORDER_STATE_STARTED)
            ?.receipt,
        100_000,
      );
      const state = STATES[receipt.state] ?? 'unspecified';
      const { code, detail } = receipt;
      return { state, code, detail, before: decodeFacts(receipt.before), after: decodeFacts(receipt.after) };
    },
    async stop() {
      await healer.stop();
      queue.close();
    },
  };
}

export interface RecordedCall {
  readonly argv: readonly string[];
  readonly options: ToolOptions;
}

export interface RecordingHost extends Host {
  readonly calls: RecordedCall[];
}

const WELL: ToolResult = {
  ok: true,
  stdout: '',
  stderr: '',
  exitCode: 0,
  timedOut: false,
  missing: false,
  truncated: false,
  aborted: false,
};

/** Notes what would be run on another operating system, and answers as told: nothing of it is run here. */
export function recordingHost(
  platform: NodeJS.Platform,
  answer: (argv: readonly string[]) => Partial<ToolResult> | 'missing' = () => ({}),
  root = '/nonexistent',
): RecordingHost {
  const calls: RecordedCall[] = [];
  return {
    ...thisHost(),
    platform,
    root,
    tools: changeTools('C:\\Windows'),
    calls,
    async run(argv, options = {}) {
      calls.push({ argv, options });
      const said = answer(argv);
      if (said === 'missing') return { ...WELL, ok: false, exitCode: null, missing: true };
      const { exitCode = 0 } = said;
      return { ...WELL, ok: exitCode === 0 && said.timedOut !== true, ...said };
    },
  };
}

/** What a check saw, one after the other; the last stays. */
export function sights(...seen: (Partial<Sight> & { facts: Facts })[]): NonNullable<HealerOptions['look']> {
  let at = 0;
  return async () => {
    const one = seen[Math.min(at++, seen.length - 1)]!;
    return { status: 'fail', reason: 'Look at it.', ...one };
  };
}
