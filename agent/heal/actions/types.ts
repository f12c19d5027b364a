import type { Facts } from '@sitewarden/agent-proto/agent';
import type { CheckName, CheckStatus, TierNumber } from '@sitewarden/agent-proto/checks';
import type { ServiceManager } from '@sitewarden/kit/services';
import type { AgentErrorCode } from '../../errors.ts';
import type { OrderUndo } from '../../queue/index.ts';
import type { SiteConfig } from '../../site/index.ts';
import type { Updater } from '../../update/index.ts';
import type { Host } from '../host.ts';

export interface Refusal {
  readonly code: AgentErrorCode;
  readonly detail?: string;
}

/** What a round of checks left in the queue. */
export interface RoundSummary {
  readonly reports: number;
  readonly statuses: Readonly<Record<string, number>>;
}

/** One result of a check, seen now and reported to nobody. */
export interface Sight {
  readonly status: CheckStatus;
  readonly reason: string;
  /** Only names of the check's closed set. */
  readonly facts: Facts;
}

export interface UndoMemory {
  /** What was there before, of the order that runs now. On disk before anything is changed. */
  keep(undo: OrderUndo): void;
  find(orderId: string): OrderUndo | undefined;
  drop(orderId: string): void;
}

export interface ActionContext {
  readonly orderId: string;
  readonly site: SiteConfig;
  readonly services: ServiceManager;
  readonly host: Host;
  /** Looks now and queues the reports. */
  runChecks(request: { checks: readonly string[]; orderId: string; signal: AbortSignal }): Promise<RoundSummary>;
  /** How the agent itself is. */
  diagnose(): Facts;
  /** Looks with the check's own collector. `subject` is '' but for services. Throws only when called off. */
  look(check: CheckName, subject: string): Promise<Sight>;
  /** On the appliance's clock. */
  nowMs(): number;
  readonly undo: UndoMemory;
  readonly updater: Updater;
  readonly signal: AbortSignal;
}

export interface ActionResult {
  /** Nothing was done, and why. */
  readonly refusal?: Refusal;
  /** undefined beside no refusal: the action did what it is for, and `after` proves it. */
  readonly failure?: { readonly code: string; readonly detail: string };
  /** A sentence for people about what was done. */
  readonly note?: string;
  readonly before: Facts;
  readonly after: Facts;
  /** The program that runs next answers for the order; this one ends now. */
  readonly isHandedOver?: true;
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
