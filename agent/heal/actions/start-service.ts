import type { Facts } from '@sitewarden/agent-proto/agent';
import { refused, stateUnknown } from '../plan.ts';
import { defineRepair, type Way } from '../repair.ts';

/** A service that is slow to come up shows it within this. */
const SETTLE_MS = 10_000;

const way: Way<{ service: string }> = {
  async plan(before, { service }, { services, signal }) {
    const { state } = before.facts;
    if (state === 'running') return { nothing: `${service} runs already.` };
    if (state === 'not_installed') return refused('ACTION_NOT_POSSIBLE', before.reason);
    if (state !== 'stopped' && state !== 'failed') return stateUnknown(before);
    return {
      steps: [{ words: `start the service ${service}`, run: () => services.start(service, { signal }) }],
      keep: { service },
      isDone: isIn('running'),
      settleMs: SETTLE_MS,
    };
  },
  async undo(kept, before, { services, signal, site }) {
    const service = String(kept.service);
    // The site may have taken it off its list since; what is not ours to start is not ours to stop.
    if (!site.requiredServices.includes(service)) return { refusal: { code: 'SERVICE_NOT_REQUIRED' } };
    if (before.facts.state === 'stopped') return { nothing: `${service} is stopped already.` };
    return {
      steps: [{ words: `stop the service ${service}`, run: () => services.stop(service, { signal }) }],
      isDone: isIn('stopped'),
      settleMs: SETTLE_MS,
    };
  },
};

const isIn =
  (state: string) =>
  ({ facts }: { facts: Facts }): boolean =>
    facts.state === state;

/** Starts `params.service`, one the site requires here; a running one is left alone. Undo stops it again. */
export const startService = defineRepair({
  name: 'start_service',
  subject: ({ service }) => service,
  refuse: ({ service }, { requiredServices }) =>
    requiredServices.includes(service) ? undefined : { code: 'SERVICE_NOT_REQUIRED' },
  ways: { linux: way, darwin: way, win32: way },
  elsewhere: 'The agent knows no services of this operating system. Start it by hand.',
});
