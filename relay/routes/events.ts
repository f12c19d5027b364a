import { createEventStream } from '../live/index.ts';
import { defineHandlers, type Services } from './context.ts';

export function eventHandlers({ live, clock, sessions, streams }: Services) {
  return defineHandlers({
    events: ({ tenant }) => {
      const giveBack = streams.take(tenant.sessionHash);
      const stream = createEventStream({
        bus: live,
        partnerId: tenant.partnerId,
        nowMs: () => clock.nowMs(),
        isAlive: () => sessions.isAlive(tenant, clock.nowMs()),
      });
      return stream.once('close', giveBack);
    },
  });
}
