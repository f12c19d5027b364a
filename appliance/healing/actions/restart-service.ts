import type { Facts } from '@sitewarden/agent-proto/agent';
import { isCodedError } from '@sitewarden/kit/errors';
import type { ServiceManager } from '@sitewarden/kit/services';
import { RUN_CODES } from '../../lib/action-codes.ts';
import type { ActionContext, ActionResult, LocalAction } from './types.ts';

/** params: `service`. */
export const restartService: LocalAction = {
  isAllowed: ({ service }, allowed) => typeof service === 'string' && allowed.includes(service),
  run,
};

async function run(params: Facts, { services, allowedServices, signal }: ActionContext): Promise<ActionResult> {
  const service = String(params.service);
  let before: Facts = { service };
  try {
    if (!restartService.isAllowed(params, allowedServices)) {
      const outcome = `${service} is not among the services this box requires of itself.`;
      return { state: 'refused', code: 'TARGET_UNKNOWN', outcome, before, after: {} };
    }
    before = await stateOf(service, services, signal);
    if (before.state === 'running') {
      const outcome = `${service} was running again already, so it was left alone.`;
      return { state: 'done', code: null, outcome, before, after: before };
    }
    await services.restart(service, { signal });
    const after = await stateOf(service, services, signal);
    if (after.state === 'running') {
      return { state: 'done', code: null, outcome: `${service} was restarted and is running.`, before, after };
    }
    const outcome = `${service} was restarted and is ${after.state}. ${RUN_CODES.SERVICE_NOT_RUNNING}`;
    return { state: 'failed', code: 'SERVICE_NOT_RUNNING', outcome, before, after };
  } catch (error) {
    return failure(error, before);
  }
}

async function stateOf(service: string, services: ServiceManager, signal: AbortSignal): Promise<Facts> {
  const { state, detail } = await services.status(service, { signal });
  return { service, state, ...(detail === '' ? {} : { detail: detail.slice(0, 256) }) };
}

function failure(error: unknown, before: Facts): ActionResult {
  const code = isCodedError(error) ? error.code : 'INTERNAL';
  const outcome = isCodedError(error) ? error.message.slice(0, 1024) : 'The restart failed for a reason in the log.';
  // Called off halfway: the manager may have gone on by itself.
  return { state: code === 'SERVICE_ACTION_ABORTED' ? 'indeterminate' : 'failed', code, outcome, before, after: {} };
}
