import { setTimeout as delay } from 'node:timers/promises';
import type { Facts } from '@sitewarden/agent-proto/agent';
import type { ServiceStatus } from '@sitewarden/kit/services';
import { defineAction } from '../define-action.ts';
import type { ActionContext } from './types.ts';

/** A service that is slow to come up shows it within this; one that dies at once is caught by the last look. */
const SETTLE_MS = 10_000;
const POLL_MS = 200;

/** Restarts `params.service`, or starts it when it is stopped. Only a service the site requires here. */
export const restartService = defineAction({
  name: 'restart_service',
  refuse: ({ service }, { requiredServices }) =>
    requiredServices.includes(service) ? undefined : { code: 'SERVICE_NOT_REQUIRED' },
  async run({ service, dry_run: isDryRun = false }, context) {
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
});

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
