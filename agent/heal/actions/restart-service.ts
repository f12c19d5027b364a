import { setTimeout as delay } from 'node:timers/promises';
import { validateActionParams } from '@sitewarden/agent-proto/actions';
import type { Facts } from '@sitewarden/agent-proto/agent';
import type { ServiceStatus } from '@sitewarden/kit/services';
import { paramsRefusal } from '../repair.ts';
import type { Action, ActionContext } from './types.ts';

/** A service that is slow to come up shows it within this; one that dies at once is caught by the last look. */
const SETTLE_MS = 10_000;
const POLL_MS = 200;

/** Restarts `params.service`, or starts it when it is stopped. Only a service the site requires here. */
export const restartService: Action = {
  name: 'restart_service',
  minTier: 1,
  refuse(raw, { requiredServices }) {
    const read = validateActionParams('restart_service', raw);
    if (!read.ok) return paramsRefusal(read);
    return requiredServices.includes(read.value.service) ? undefined : { code: 'SERVICE_NOT_REQUIRED' };
  },
  async run(raw, context) {
    const read = validateActionParams('restart_service', raw);
    if (!read.ok) return { refusal: paramsRefusal(read), before: {}, after: {} };
    const { service, dry_run: isDryRun = false } = read.value;
    const { services, signal } = context;
    const before = await services.status(service, { signal });
    if (isDryRun) {
      const facts = factsOf(service, before);
      const deed = before.state === 'stopped' ? 'start' : 'restart';
      return {
        before: facts,
        after: facts,
        note: `Dry run, nothing was changed. It would do: ${deed} the service ${service}.`,
      };
    }
    if (before.state === 'stopped') await services.start(service, { signal });
    else await services.restart(service, { signal });
    const after = await settle(service, context);
    const facts = { before: factsOf(service, before), after: factsOf(service, after) };
    if (after.state === 'running') return facts;
    return { ...facts, failure: { code: 'SERVICE_NOT_RUNNING', detail: `The service is ${after.state}` } };
  },
};

/** The state after the action, waited for while it may still turn to running. */
async function settle(service: string, { services, signal }: ActionContext): Promise<ServiceStatus> {
  const endMs = performance.now() + SETTLE_MS;
  for (;;) {
    const status = await services.status(service, { signal });
    if (status.state === 'running' || performance.now() >= endMs) return status;
    await delay(POLL_MS, undefined, { signal });
  }
}

function factsOf(service: string, { state, detail }: ServiceStatus): Facts {
  return { service, state, detail };
}
