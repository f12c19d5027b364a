import type { Socket } from 'node:net';

export interface AgentConnectionLimits {
  readonly max: number;
  readonly maxPerAgent: number;
}

export interface AgentConnections<S extends Socket> {
  readonly size: number;
  /** Counts it until it closes. False: there is no room, and it is not counted. */
  admit(socket: S, agentId: string): boolean;
}

/**
 * Connections of agents with a good certificate. What is left of an agent that comes back makes room for it, though nobody has
 * noticed yet that it is dead. When there is no room at all, the agent with the most gives its oldest, so that nobody who has
 * none is kept out by those who have several; an agent's only connection is never taken for another agent.
 */
export function createAgentConnections<S extends Socket>(limits: AgentConnectionLimits): AgentConnections<S> {
  /** Oldest first. */
  const byAgent = new Map<string, Set<S>>();
  const ownerOf = new Map<S, string>();

  function leave(socket: S): void {
    const agentId = ownerOf.get(socket);
    if (agentId === undefined) return;
    ownerOf.delete(socket);
    const own = byAgent.get(agentId);
    own?.delete(socket);
    if (own?.size === 0) byAgent.delete(agentId);
  }

  /** Whose oldest connection goes; undefined when none may. */
  function giverFor(own: ReadonlySet<S>): ReadonlySet<S> | undefined {
    if (own.size > 0) return own;
    let most: Set<S> | undefined;
    for (const one of byAgent.values()) if (one.size > (most?.size ?? 1)) most = one;
    return most;
  }

  return {
    get size() {
      return ownerOf.size;
    },
    admit(socket, agentId) {
      const own = byAgent.get(agentId) ?? new Set<S>();
      if (ownerOf.size >= limits.max || own.size >= limits.maxPerAgent) {
        const [oldest] = giverFor(own) ?? [];
        if (oldest === undefined) return false;
        leave(oldest);
        oldest.destroy();
      }
      byAgent.set(agentId, own.add(socket));
      ownerOf.set(socket, agentId);
      socket.once('close', () => leave(socket));
      return true;
    },
  };
}
