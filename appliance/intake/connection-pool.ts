import type { Socket } from 'node:net';
import { addressKey } from '@sitewarden/kit/net';

export interface PoolLimits {
  readonly max: number;
  /** Of one address; of IPv6 one /64, for a single machine owns as many addresses as it likes. */
  readonly maxPerAddress: number;
  /** A member that is still here then is cut. */
  readonly lifetimeMs: number;
}

export interface ConnectionPool {
  readonly size: number;
  add(socket: Socket): void;
  /** The socket goes on elsewhere: it is no longer counted or timed here. */
  remove(socket: Socket): void;
}

/**
 * Connections nobody has vouched for yet. Whoever comes is let in and the oldest makes room: of the same address when that
 * one has its share, else of the address with the most. Refusing the newest would let idle sockets lock agents out, also
 * those behind the same NAT; an agent is done here within milliseconds, so it is never the oldest for long.
 */
export function createPool({ max, maxPerAddress, lifetimeMs }: PoolLimits): ConnectionPool {
  // Both keep the order of insertion: the first is the oldest.
  const byAddress = new Map<string, Set<Socket>>();
  const members = new Map<Socket, { readonly address: string; readonly timer: NodeJS.Timeout }>();

  function remove(socket: Socket): void {
    const member = members.get(socket);
    if (member === undefined) return;
    clearTimeout(member.timer);
    members.delete(socket);
    const siblings = byAddress.get(member.address)!;
    siblings.delete(socket);
    if (siblings.size === 0) byAddress.delete(member.address);
  }

  function cutOldestOf(siblings: Set<Socket>): void {
    const [oldest] = siblings;
    if (oldest === undefined) return;
    remove(oldest);
    oldest.destroy();
  }

  function busiest(): Set<Socket> {
    let most: Set<Socket> = new Set();
    for (const siblings of byAddress.values()) if (siblings.size > most.size) most = siblings;
    return most;
  }

  return {
    get size() {
      return members.size;
    },
    add(socket) {
      const address = addressKey(socket.remoteAddress ?? '');
      const siblings = byAddress.get(address);
      if (siblings !== undefined && siblings.size >= maxPerAddress) cutOldestOf(siblings);
      else if (members.size >= max) cutOldestOf(busiest());
      const timer = setTimeout(() => {
        remove(socket);
        socket.destroy();
      }, lifetimeMs);
      members.set(socket, { address, timer });
      const own = byAddress.get(address) ?? new Set();
      byAddress.set(address, own.add(socket));
      socket.once('close', () => remove(socket));
    },
    remove,
  };
}
