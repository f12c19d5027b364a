import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import type { RuleSet } from '../rules/index.ts';
import { type ActionRun, activeActionRuns, agentOrders, BOX, incidentById, latestResult } from '../store/index.ts';
import type { Effect } from './effects.ts';
import { type ProgressInput, progress } from './progress.ts';
import { answeringReportId } from './queries.ts';
import { askRecheck } from './recheck.ts';
import { finishRun, judgeRun } from './write-runs.ts';

export interface AdvanceContext {
  readonly rules: RuleSet;
  readonly nowMs: number;
  isExecuting(runId: string): boolean;
  /** When the box was last asked to look at itself for this run. */
  selfCheckedAtMs(runId: string): number | undefined;
  onMoved(run: ActionRun): void;
}

/** Takes every run under way as far as its rows allow. Belongs in a transaction. */
export function advanceRuns(db: SqliteDatabase, context: AdvanceContext): { effects: Effect[]; askedFor: string[] } {
  const effects: Effect[] = [];
  const askedFor: string[] = [];
  for (const run of activeActionRuns(db)) {
    const { nowMs, rules } = context;
    const next = progress(inputFor(db, run, context));
    const rule = rules.rules.find((one) => one.id === run.ruleId);
    if (next.kind === 'finish') context.onMoved(finishRun(db, run, { result: next, rule, nowMs }));
    else if (next.kind === 'judge') context.onMoved(judgeRun(db, run, { state: next.state, nowMs }));
    else if (next.kind === 'ask_recheck') {
      const incident = incidentById(db, run.incidentId);
      if (incident === undefined) continue;
      const { source, check } = incident;
      effects.push(askRecheck(db, { source, check, ruleId: run.ruleId, actionRunId: run.id, nowMs }));
      askedFor.push(run.id);
    }
  }
  return { effects, askedFor };
}

function inputFor(db: SqliteDatabase, run: ActionRun, context: AdvanceContext): ProgressInput {
  const { nowMs } = context;
  if (run.source === BOX) {
    return {
      run,
      where: { kind: 'box', isExecuting: context.isExecuting(run.id) },
      fresh: run.state === 'done' ? freshOnBox(db, run) : undefined,
      lastAskedAtMs: context.selfCheckedAtMs(run.id),
      nowMs,
    };
  }
  const orders = agentOrders.byActionRun(db, run.id);
  const rechecks = orders.filter((order) => order.action === 'run_check');
  const order = orders.find((one) => one.action === run.action);
  const ids = new Set(rechecks.map((one) => one.id));
  const fresh = run.state === 'done' ? freshOnAgent(db, run, ids) : undefined;
  return { run, where: { kind: 'agent', order }, fresh, lastAskedAtMs: rechecks.at(-1)?.createdAtMs, nowMs };
}

function resultFor(db: SqliteDatabase, run: ActionRun) {
  const incident = incidentById(db, run.incidentId);
  return incident && latestResult(db, incident);
}

/** Action and check share the box's clock. */
function freshOnBox(db: SqliteDatabase, run: ActionRun): ProgressInput['fresh'] {
  const result = resultFor(db, run);
  return result !== undefined && result.collectedAtMs >= (run.finishedAtMs ?? Infinity) ? result : undefined;
}

/**
 * An agent's clock may be off by anything, so its stamps prove nothing. What proves that a result came after the action is
 * that it answers an order given after it; an agent reports in order, so every later result is newer still.
 */
function freshOnAgent(db: SqliteDatabase, run: ActionRun, recheckIds: ReadonlySet<string>): ProgressInput['fresh'] {
  const result = resultFor(db, run);
  if (result === undefined || result.receivedAtMs < (run.finishedAtMs ?? Infinity)) return undefined;
  const answerId = answeringReportId(db, run.source, recheckIds);
  return answerId !== undefined && result.reportId >= answerId ? result : undefined;
}
