import { decodeFacts, type Facts, type Order } from '@sitewarden/agent-proto/agent';
import type { CheckName } from '@sitewarden/agent-proto/checks';
import { isCodedError } from '@sitewarden/kit/errors';
import type { Logger } from '@sitewarden/kit/log';
import type { ServiceManager } from '@sitewarden/kit/services';
import type { Clock } from '@sitewarden/kit/time';
import { runChecks } from '../collect/index.ts';
import { agentErrors } from '../errors.ts';
import type { OrderLog } from '../queue/index.ts';
import type { SiteState } from '../site/index.ts';
import { ACTIONS, type Action, type ActionContext, type ActionResult, type Sight } from './actions/index.ts';
import { type Decision, decideOrder } from './decide.ts';
import { type Host, thisHost } from './host.ts';
import { endedReceipt, interruptedReceipt, refusedReceipt, startedReceipt } from './receipts.ts';

export interface HealerOptions {
  readonly orders: OrderLog;
  readonly site: SiteState;
  readonly services: ServiceManager;
  readonly runChecks: ActionContext['runChecks'];
  /** `clockOffsetMs`: the appliance's clock minus ours. */
  diagnose(clockOffsetMs: number): Facts;
  readonly updater: ActionContext['updater'];
  /** The program that runs next answers for an order: this process shall end. */
  onHandedOver(): void;
  /** Told the code of an order that was refused or failed. */
  readonly onTrouble?: (code: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly actions?: readonly Action[];
  /** Default: the machine this process runs on. */
  readonly host?: Host;
  /** Default: the collector of the check, on this machine. */
  readonly look?: (check: CheckName, subject: string, signal: AbortSignal) => Promise<Sight>;
}

export interface Healer {
  /** Answers for orders that the process before this one left started, but for `exceptId`. Before the first `submit`. */
  recover(exceptId?: string): void;
  /** Answers for an order that the process before this one began. */
  settle(orderId: string, result: ActionResult): void;
  /** Runs the order, one at a time, or refuses it. `clockOffsetMs`: the appliance's clock minus ours. */
  submit(order: Order, clockOffsetMs: number): void;
  /** Calls off what runs and forgets what waits: the appliance gives it again. */
  stop(): Promise<void>;
}

const MAX_WAITING = 32;
const MAX_ORDER_ID_CHARS = 128;

export function createHealer(options: HealerOptions): Healer {
  const { orders, site, clock, log, actions = ACTIONS, host = thisHost(), look = lookNow } = options;
  const callOff = new AbortController();
  let isHandedOver = false;
  const waiting = new Map<string, { order: Order; clockOffsetMs: number }>();
  let running: Promise<void> | undefined;

  function decide(order: Order, clockOffsetMs: number): Decision {
    const params = decodeFacts(order.params);
    const nowMs = clock.nowMs() + clockOffsetMs;
    return decideOrder({ ...order, params }, { nowMs, site: site.config, actions });
  }

  function submit(order: Order, clockOffsetMs: number): void {
    const { orderId } = order;
    if (callOff.signal.aborted || isHandedOver || waiting.has(orderId)) return;
    if (orderId === '' || orderId.length > MAX_ORDER_ID_CHARS) {
      log.warn({ action: order.action }, 'an order without a usable id was ignored');
      return;
    }
    if (orders.find(orderId) !== undefined) {
      orders.repeat(orderId);
      return;
    }
    const decision = decide(order, clockOffsetMs);
    if ('refusal' in decision) refuse(order, decision.refusal);
    else if (waiting.size >= MAX_WAITING) refuse(order, { code: 'AGENT_BUSY' });
    else {
      waiting.set(orderId, { order, clockOffsetMs });
      running ??= drain();
    }
  }

  async function drain(): Promise<void> {
    // A turn later, so that `running` is set before the first order is looked at.
    await Promise.resolve();
    for (const [orderId, { order, clockOffsetMs }] of waiting) {
      if (callOff.signal.aborted || isHandedOver) break;
      try {
        // Time has passed since it came: it may have expired, or the tier may have been lowered.
        const decision = decide(order, clockOffsetMs);
        if ('refusal' in decision) refuse(order, decision.refusal);
        else await run(order, decision.action, clockOffsetMs);
      } catch (error) {
        // Not on disk: the appliance gets no receipt and gives the order again.
        log.error({ err: error, orderId }, 'order not recorded');
      }
      waiting.delete(orderId);
    }
    running = undefined;
  }

  function refuse(order: Order, refusal: Parameters<typeof refusedReceipt>[1]): void {
    log.warn({ orderId: order.orderId, action: order.action, code: refusal.code }, 'order refused');
    options.onTrouble?.(refusal.code);
    orders.open(order, 'refused', refusedReceipt(order.orderId, refusal, clock.nowMs()));
  }

  async function run(order: Order, action: Action, clockOffsetMs: number): Promise<void> {
    const { orderId } = order;
    if (!orders.open(order, 'started', startedReceipt(orderId, clock.nowMs()))) return;
    log.info({ orderId, action: action.name }, 'order started');
    const result = await perform(order, action, clockOffsetMs);
    if (result.isHandedOver) {
      isHandedOver = true;
      options.onHandedOver();
      return;
    }
    end(orderId, action.name, result);
  }

  function end(orderId: string, action: string, result: ActionResult): void {
    const { refusal, failure } = result;
    const state = refusal !== undefined ? 'refused' : failure === undefined ? 'done' : 'failed';
    if (failure !== undefined) options.onTrouble?.(failure.code);
    orders.close(orderId, state, endedReceipt(orderId, result, clock.nowMs()));
    log.info({ orderId, action, state, code: refusal?.code ?? failure?.code }, 'order ended');
  }

  async function perform(order: Order, action: Action, clockOffsetMs: number): Promise<ActionResult> {
    const context: ActionContext = {
      orderId: order.orderId,
      site: site.config,
      services: options.services,
      host,
      runChecks: options.runChecks,
      diagnose: () => options.diagnose(clockOffsetMs),
      look: async (check, subject) => {
        const sight = await look(check, subject, callOff.signal);
        callOff.signal.throwIfAborted();
        return sight;
      },
      nowMs: () => clock.nowMs() + clockOffsetMs,
      undo: {
        keep: (undo) => orders.keepUndo(order.orderId, undo),
        find: orders.findUndo,
        drop: orders.dropUndo,
      },
      updater: options.updater,
      signal: callOff.signal,
    };
    try {
      return await action.run(decodeFacts(order.params), context);
    } catch (error) {
      // Called off in the middle: what it did until then is not known.
      const code = callOff.signal.aborted ? 'INDETERMINATE' : 'ACTION_FAILED';
      const coded = isCodedError(error) ? error : agentErrors.make(code, { cause: error });
      if (coded !== error) log.error({ err: error, orderId: order.orderId }, 'action failed');
      return { before: {}, after: {}, failure: { code: coded.code, detail: coded.message } };
    }
  }

  async function lookNow(check: CheckName, subject: string, signal: AbortSignal): Promise<Sight> {
    const requiredServices = subject === '' ? site.config.requiredServices : [subject];
    const { services } = options;
    const outcomes = await runChecks({ checks: [check], requiredServices, services, signal });
    // runChecks answers for each subject that was asked for.
    return outcomes.find((outcome) => outcome.subject === subject) ?? outcomes[0]!;
  }

  return {
    recover(exceptId) {
      for (const { orderId, action } of orders.interrupted()) {
        if (orderId === exceptId) continue;
        log.warn({ orderId, action }, 'the agent was stopped in the middle of this order');
        orders.close(orderId, 'failed', interruptedReceipt({ orderId, action }, clock.nowMs()));
      }
    },
    settle: (orderId, result) => end(orderId, 'update_agent', result),
    submit,
    async stop() {
      callOff.abort();
      await running;
    },
  };
}
