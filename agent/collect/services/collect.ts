import type { Facts } from '@sitewarden/agent-proto/agent';
import { isCodedError } from '@sitewarden/kit/errors';
import type { CollectContext, Observation } from '../types.ts';
import { windowsServiceFacts } from './windows.ts';

/** No required services: one observation without a subject, which evaluates to not_applicable. */
export async function collectServices(context: CollectContext): Promise<Observation[]> {
  const { requiredServices } = context;
  if (requiredServices.length === 0) return [{ subject: '', facts: { manager: context.services.kind } }];
  return Promise.all(
    requiredServices.map(async (service) => ({ subject: service, facts: await serviceFacts(service, context) })),
  );
}

async function serviceFacts(service: string, { services, windows, signal }: CollectContext): Promise<Facts> {
  if (process.platform === 'win32') {
    const listed = windowsServiceFacts(service, await windows.ask('services'));
    if (listed !== undefined) return listed;
  }
  const facts: Facts = { service, manager: services.kind };
  try {
    const { state, detail } = await services.status(service, { signal });
    return { ...facts, state, ...(detail === '' ? {} : { detail }) };
  } catch (error) {
    const probe_error = isCodedError(error) ? error.message : 'The service manager could not be asked.';
    return { ...facts, state: 'unknown', probe_error };
  }
}
