import type { BoxAction } from '../../rules/index.ts';
import { restartService } from './restart-service.ts';
import type { LocalAction } from './types.ts';

export type { ActionContext, ActionResult, LocalAction } from './types.ts';

/** Everything the box can do on itself. Complete by type: one that is missing does not compile. */
export const LOCAL_ACTIONS: Readonly<Record<BoxAction, LocalAction>> = {
  restart_service: restartService,
};
