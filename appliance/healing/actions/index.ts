import type { ActionName } from '../../rules/index.ts';
import { restartService } from './restart-service.ts';
import type { LocalAction } from './types.ts';

export type { ActionContext, ActionResult, LocalAction } from './types.ts';

/** Every action a rule can name. Complete by type: one that is missing does not compile. */
export const LOCAL_ACTIONS: Readonly<Record<ActionName, LocalAction>> = {
  restart_service: restartService,
};
