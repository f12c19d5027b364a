import type { Facts } from '@sitewarden/agent-proto/agent';
import type { ServiceManager } from '@sitewarden/kit/services';
import type { EndState } from '../progress.ts';

export interface ActionContext {
  readonly services: ServiceManager;
  /** The only ones the box may touch. */
  readonly allowedServices: readonly string[];
  /** Fires when the program stops. */
  readonly signal: AbortSignal;
}

export interface ActionResult {
  readonly state: EndState;
  readonly code: string | null;
  /** A sentence for people. */
  readonly outcome: string;
  readonly before: Facts;
  readonly after: Facts;
}

/** What one action does on the box itself. */
export interface LocalAction {
  /** False: the parameters are not ones this host may act on. */
  isAllowed(params: Facts, allowedServices: readonly string[]): boolean;
  /** Never rejects: what went wrong is the result. */
  run(params: Facts, context: ActionContext): Promise<ActionResult>;
}
