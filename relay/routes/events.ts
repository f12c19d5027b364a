import { createEventStream } from '../live/index.ts';
import { defineHandlers, type Services } from './context.ts';

export function eventHandlers({ live, clock, sessions }: Services) {
  return defineHandlers({
    events: ({ tenant }) =>
      createEventStream({
        bus: live,
        partnerId: tenant.partnerId,
        nowMs: () => clock.nowMs(),
        isAlive: () => sessions.isAlive(tenant, clock.nowMs()),
      }),
  });
}
