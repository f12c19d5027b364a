import type { Facts } from '@sitewarden/agent-proto/agent';
import type { TierNumber } from '@sitewarden/agent-proto/checks';
import type { ServiceManager } from '@sitewarden/kit/services';
import type { AgentErrorCode } from '../../errors.ts';
import type { SiteConfig } from '../../site/index.ts';

export interface Refusal {
  readonly code: AgentErrorCode;
  readonly detail?: string;
}

/** What a round of checks left in the queue. */
export interface RoundSummary {
  readonly reports: number;
  readonly statuses: Readonly<Record<string, number>>;
}

export interface ActionContext {
  readonly orderId: string;
  readonly site: SiteConfig;
  readonly services: ServiceManager;
  /** Looks now and queues the reports. */
  runChecks(request: { checks: readonly string[]; orderId: string; signal: AbortSignal }): Promise<RoundSummary>;
  /** How the agent itself is. */
  diagnose(): Facts;
  readonly signal: AbortSignal;
}

export interface ActionResult {
  /** undefined: the action did what it is for, and `after` proves it. */
  readonly failure?: { readonly code: string; readonly detail: string };
  readonly before: Facts;
  readonly after: Facts;
}

export interface Action {
  /** As in an order. */
  readonly name: string;
  readonly minTier: TierNumber;
  /** Pure: may the action run with these parameters on this workstation? The tier was looked at before. */
  refuse(params: Facts, site: SiteConfig): Refusal | undefined;
  /** Only after `refuse` had nothing to say. May throw coded errors. */
  run(params: Facts, context: ActionContext): Promise<ActionResult>;
}
