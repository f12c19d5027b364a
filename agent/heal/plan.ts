import { setTimeout as delay } from 'node:timers/promises';
import type { Facts } from '@sitewarden/agent-proto/agent';
import { isCodedError } from '@sitewarden/kit/errors';
import type { ToolOptions, ToolResult } from '@sitewarden/kit/exec';
import { toolProblem } from '../collect/index.ts';
import { agentErrors } from '../errors.ts';
import type { ActionContext, ActionResult, Refusal, Sight } from './actions/types.ts';
import type { Argv, Host } from './host.ts';

export interface Step {
  /** What it does, for a dry run: the argv, or a few words. */
  readonly words: string;
  /** Throws coded errors. */
  run(): Promise<void>;
}

export interface Change {
  readonly steps: readonly Step[];
  /** Pure: does what the check sees afterwards prove the change? */
  isDone(after: Sight): boolean;
  /** What the change can be undone by. Kept before the first step. */
  readonly keep?: Facts;
  /** For people, once it is done. */
  note?(after: Sight): string;
  /** For people, when it cannot be proved: what is most likely, and what to do. */
  readonly doubt?: string;
  /** So long it may take until the check shows it. */
  readonly settleMs?: number;
}

/** What looking led to. Nothing was changed until here. */
export type Plan = { readonly refusal: Refusal } | { readonly nothing: string } | Change;

export const refused = (code: Refusal['code'], detail: string): Plan => ({ refusal: { code, detail } });
export const notPossible = (detail: string): Plan => refused('ACTION_NOT_POSSIBLE', detail);

/** Why the agent must not act on what it could not see. */
export const stateUnknown = ({ reason }: Sight): Plan => refused('STATE_UNKNOWN', reason);

export interface CarryOut {
  readonly action: string;
  readonly before: Sight;
  readonly look: () => Promise<Sight>;
  readonly isDryRun: boolean;
  readonly context: ActionContext;
}

const POLL_MS = 500;

/** Says what a plan would do, or does it and looks again. Throws what the steps throw when it was called off. */
export async function carryOut(plan: Plan, options: CarryOut): Promise<ActionResult> {
  const { action, isDryRun, context, look } = options;
  const before = options.before.facts;
  if ('refusal' in plan) return { refusal: plan.refusal, before, after: {} };
  if ('nothing' in plan) return { before, after: before, note: `Nothing to do: ${plan.nothing}` };
  if (isDryRun) {
    const steps = plan.steps.map(({ words }) => words).join('; ');
    return { before, after: before, note: `Dry run, nothing was changed. It would do: ${steps}.` };
  }
  context.signal.throwIfAborted();
  if (plan.keep !== undefined) context.undo.keep({ action, kept: plan.keep });
  try {
    for (const step of plan.steps) {
      context.signal.throwIfAborted();
      await step.run();
    }
  } catch (error) {
    if (context.signal.aborted || !isCodedError(error)) throw error;
    const { facts } = await look();
    return { before, after: facts, failure: { code: error.code, detail: error.message } };
  }
  const after = await settle(plan, options);
  if (plan.isDone(after)) return { before, after: after.facts, note: plan.note?.(after) ?? '' };
  const { code, message } = agentErrors.make('ACTION_NOT_VERIFIED', { detail: plan.doubt ?? after.reason });
  return { before, after: after.facts, failure: { code, detail: message } };
}

async function settle({ isDone, settleMs = 0 }: Change, { look, context }: CarryOut): Promise<Sight> {
  const endMs = performance.now() + settleMs;
  for (;;) {
    const sight = await look();
    if (isDone(sight) || performance.now() >= endMs) return sight;
    await delay(POLL_MS, undefined, { signal: context.signal });
  }
}

export interface ToolStep extends ToolOptions {
  readonly host: Host;
  /** What to install when it is not there. */
  readonly packageName: string;
  /** Stands for the argv in a dry run where that alone says too little. */
  readonly words?: string;
}

/** One tool by its argv. Throws TOOL_FAILED with the reason in our own words. */
export function toolStep(argv: Argv, { words = argv.join(' '), ...options }: ToolStep): Step {
  return {
    words,
    async run() {
      await runOrThrow(argv, options);
    },
  };
}

export async function runOrThrow(
  argv: Argv,
  { host, packageName, ...options }: Omit<ToolStep, 'words'>,
): Promise<ToolResult> {
  const result = await host.run(argv, options);
  options.signal?.throwIfAborted();
  if (result.ok) return result;
  throw toolFailure(argv, packageName, result);
}

export function toolFailure(argv: Argv, packageName: string, result: ToolResult): Error {
  const tool = argv[0].split(/[\\/]/).at(-1)!;
  return agentErrors.make('TOOL_FAILED', { detail: toolProblem(tool, packageName, result) });
}
