import { createEventStream } from '../live/index.ts';
import { siteIdsOf } from '../store/repositories/people.ts';
import { defineHandlers, type Services } from './context.ts';

export function eventHandlers({ live, clock, sessions, streams }: Services) {
  return defineHandlers({
    events: async ({ tenant, inTenant }) => {
      // A change of the given sites ends the session, and with it the stream: they hold as long as it is open.
      const given =
        tenant.role === 'technician' ? new Set(await inTenant((trx) => siteIdsOf(trx, tenant.staffId))) : undefined;
      const giveBack = streams.take(tenant.sessionHash);
      const stream = createEventStream({
        bus: live,
        partnerId: tenant.partnerId,
        nowMs: () => clock.nowMs(),
        mayHear: (siteId) => given === undefined || (siteId !== null && given.has(siteId)),
        isAlive: () => sessions.isAlive(tenant, clock.nowMs()),
      });
      return stream.once('close', giveBack);
    },
  });
}
