import type { CheckName } from '@sitewarden/agent-proto/checks';
import type { ActionRun } from '../store/index.ts';

/** What follows a commit. The rows it rests on are on disk before any of it begins. */
export type Effect =
  | { readonly kind: 'execute'; readonly run: ActionRun }
  | { readonly kind: 'agent_order'; readonly agentId: string }
  | { readonly kind: 'self_check'; readonly check: CheckName };
