import { applianceErrors } from '../errors.ts';
import type { ApplianceContext } from '../lib/context.ts';
import type { Presence } from './presence.ts';
import type { Session } from './session.ts';

/** The live sessions, one for each agent: a new one takes the place of an old one, whose connection may be long dead. */
export interface Sessions {
  open(session: Session): void;
  close(session: Session): void;
  of(agentId: string): Session | undefined;
  all(): readonly Session[];
  endAll(error: unknown): void;
}

export function createSessions(ctx: ApplianceContext, presence: Presence): Sessions {
  const live = new Map<string, Session>();
  const count = () => ctx.metrics.intakeSessions.set(live.size);
  return {
    open(session) {
      const before = live.get(session.agentId);
      live.set(session.agentId, session);
      count();
      before?.end(applianceErrors.make('SESSION_REPLACED'));
    },
    close(session) {
      if (live.get(session.agentId) !== session) return;
      live.delete(session.agentId);
      count();
      try {
        presence.disconnected(session.agentId);
      } catch (error) {
        ctx.log.warn({ err: error, agentId: session.agentId }, 'the end of a session was not written');
      }
    },
    of: (agentId) => live.get(agentId),
    all: () => [...live.values()],
    endAll(error) {
      for (const session of [...live.values()]) session.end(error);
    },
  };
}
