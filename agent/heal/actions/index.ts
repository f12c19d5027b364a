import { collectDiagnostics } from './collect-diagnostics.ts';
import { restartService } from './restart-service.ts';
import { runCheck } from './run-check.ts';
import type { Action } from './types.ts';

/** Everything an order can make this agent do. */
export const ACTIONS: readonly Action[] = [runCheck, collectDiagnostics, restartService];

export type { Action, ActionContext, ActionResult, Refusal, RoundSummary } from './types.ts';
