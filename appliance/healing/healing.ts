import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { detectServiceManager, type ServiceManager } from '@sitewarden/kit/services';
import { withTransaction } from '@sitewarden/kit/sqlite';
import { applianceErrors } from '../errors.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { createLoop } from '../lib/loop.ts';
import { BUILTIN_RULES_DIR, createRuleSet, isBoxAction, loadRuleFolder, type RuleSet } from '../rules/index.ts';
import { type ActionRun, advanceCursor, changes, isDiskFault, noteTurn } from '../store/index.ts';
import { LOCAL_ACTIONS } from './actions/index.ts';
import { advanceRuns } from './advance-runs.ts';
import type { Effect } from './effects.ts';
import { planIncidents } from './plan-incidents.ts';
import { finishRun } from './write-runs.ts';

export interface HealingOptions {
  /** Default: the built-in rules. */
  readonly rules?: RuleSet;
  /** Default: what this host runs its services with. */
  readonly services?: ServiceManager;
}

export interface Healing extends LifecyclePart {
  readonly rules: RuleSet;
  /** Plans and executes all that is due now; resolves when no action runs on the box any more. */
  settle(): Promise<void>;
}

const POLL_MS = 1000;
/** While a backlog is assessed, changes come by the thousand: one look for all of this long. */
const GATHER_MS = 100;

/**
 * Looks at the rows again and again and never at memory: what is open, what is under way, what an agent answered. A kill
 * at any point therefore leaves nothing half-known. Throws RULES_INVALID.
 */
export function createHealing(ctx: ApplianceContext, options: HealingOptions = {}): Healing {
  const { clock, config, log, metrics, signals } = ctx;
  const rules = options.rules ?? builtinRules();
  const services = options.services ?? detectServiceManager({ pidfileDir: config.services.pidfileDir });
  const boxServices = config.box.requiredServices;
  /** Runs that this process is executing on the box. */
  const executing = new Map<string, Promise<void>>();
  /** When the box was last asked to look at itself, by the run it was for. Only spares it needless looks. */
  const selfChecked = new Map<string, number>();
  let boxRefreshedAtMs: number | undefined;
  let stopping = new AbortController();

  const onMoved = ({ action, state, id }: ActionRun) => {
    metrics.healingRuns.inc({ action, state });
    if (state !== 'started' && state !== 'done') selfChecked.delete(id);
    log.info({ run: id, action, state }, 'action run moved');
  };

  function turn(): boolean {
    const { db } = ctx;
    const nowMs = clock.nowMs();
    const { effects, hasChanges } = withTransaction(db, () => {
      const before = changes.lastId(db);
      const advanced = advanceRuns(db, {
        rules,
        nowMs,
        isExecuting: (id) => executing.has(id),
        selfCheckedAtMs: (id) => selfChecked.get(id),
        onMoved,
      });
      for (const id of advanced.askedFor) selfChecked.set(id, nowMs);
      const planned = planIncidents(db, { rules, boxServices, nowMs, boxRefreshedAtMs, onMoved });
      if (planned.some((effect) => effect.kind === 'self_check')) boxRefreshedAtMs = nowMs;
      const after = changes.lastId(db);
      // Rows are looked at, not read in order: what was there when this turn began is dealt with.
      advanceCursor(db, 'healing', after);
      return { effects: [...advanced.effects, ...planned], hasChanges: after > before };
    });
    noteTurn(db, 'healing', { isGood: true, monotonicMs: clock.monotonicMs() });
    if (hasChanges) signals.emit('change');
    for (const effect of effects) begin(effect);
    return false;
  }

  function begin(effect: Effect): void {
    if (effect.kind === 'agent_order') signals.emit('agentOrder', { agentId: effect.agentId });
    else if (effect.kind === 'self_check') signals.emit('selfCheck', { checks: [effect.check] });
    else {
      const { run } = effect;
      const ended = execute(run)
        .catch((error: unknown) => {
          log.error({ run: run.id, err: error }, 'the end of an action run was not written');
          onError(error);
        })
        .finally(() => {
          executing.delete(run.id);
          loop.wake();
        });
      executing.set(run.id, ended);
    }
  }

  async function execute(run: ActionRun): Promise<void> {
    const rule = rules.rules.find((one) => one.id === run.ruleId);
    if (rule === undefined) throw new Error(`no rule ${run.ruleId}`);
    if (!isBoxAction(rule.action)) throw new Error(`${rule.action} is an agent's`);
    const context = { services, allowedServices: boxServices, signal: stopping.signal };
    const result = await LOCAL_ACTIONS[rule.action].run(run.params, context);
    onMoved(withTransaction(ctx.db, (db) => finishRun(db, run, { result, rule, nowMs: clock.nowMs() })));
    signals.emit('change');
  }

  const onError = (error: unknown): void => {
    noteTurn(ctx.db, 'healing', { isGood: false, monotonicMs: clock.monotonicMs() });
    if (isDiskFault(error)) signals.emit('diskFault', { error });
  };
  const loop = createLoop({ name: 'healing', log, turn, pollMs: POLL_MS, onError });
  let off: (() => void)[] = [];
  let gathering: NodeJS.Timeout | undefined;
  const wakeSoon = (): void => {
    gathering ??= setTimeout(() => {
      gathering = undefined;
      loop.wake();
    }, GATHER_MS);
  };

  return {
    name: 'healing',
    rules,
    start() {
      stopping = new AbortController();
      off = (['change', 'config', 'agentOrder'] as const).map((signal) => signals.on(signal, wakeSoon));
      loop.start();
    },
    async stop() {
      for (const leave of off) leave();
      clearTimeout(gathering);
      gathering = undefined;
      await loop.stop();
      stopping.abort();
      await Promise.all(executing.values());
    },
    async settle() {
      do {
        await Promise.all(executing.values());
        await loop.settle();
      } while (executing.size > 0);
    },
  };
}

function builtinRules(): RuleSet {
  const loaded = loadRuleFolder(BUILTIN_RULES_DIR);
  if (!loaded.ok) throw applianceErrors.make('RULES_INVALID', { detail: loaded.text });
  return createRuleSet(loaded.rules);
}
