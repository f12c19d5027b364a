import { REPAIRS } from '../repairs.ts';
import { collectDiagnostics } from './collect-diagnostics.ts';
import { restartService } from './restart-service.ts';
import { runCheck } from './run-check.ts';
import type { Action } from './types.ts';
import { undo } from './undo.ts';
import { updateAgent } from './update-agent.ts';

/** Everything an order can make this agent do. */
export const ACTIONS: readonly Action[] = [
  runCheck,
  collectDiagnostics,
  restartService,
  ...Object.values(REPAIRS).map(({ action }) => action),
  updateAgent,
  undo,
];

export type { Action, ActionContext, ActionResult, Refusal, RoundSummary, Sight, UndoMemory } from './types.ts';
