import type { Socket } from 'node:net';
import { addressKey } from '@sitewarden/kit/net';

export interface HandshakeRules {
  /** Handshakes under way at once: each turn of the loop then computes for a tenth of a second at most. */
  readonly maxActive: number;
  /** Complete first messages that wait for their turn; all agents of a site fit. */
  readonly maxWaiting: number;
  /** A handshake that takes longer is cut, but only while others wait. */
  readonly yieldAfterMs: number;
  /** From its first message to the end of the handshake; shorter than gRPC clients wait for a connection. */
  readonly lifetimeMs: number;
}

export interface HandshakeQueue {
  readonly active: number;
  readonly waiting: number;
  /** Its first message is here. `begin` is called in its turn. */
  add(socket: Socket): void;
  /** The handshake is over. */
  done(socket: Socket): void;
}

/**
 * Turns for handshakes, address by address, within one address first come first served. When a box starts again, all agents
 * of its site come in the same second: whoever is cut off comes back and pays for a handshake twice, who waits pays once.
 */
export function createHandshakeQueue(rules: HandshakeRules, begin: (socket: Socket) => void): HandshakeQueue {
  /** Oldest first. */
  const active = new Map<Socket, number>();
  /** Addresses in the order of their turns, each with its sockets in the order they came. */
  const waiting = new Map<string, Set<Socket>>();
  const timers = new Map<Socket, NodeJS.Timeout>();
  let waitingCount = 0;
  let isPlanned = false;
  let yieldTimer: NodeJS.Timeout | undefined;

  function forget(socket: Socket): void {
    clearTimeout(timers.get(socket));
    timers.delete(socket);
    const key = addressKey(socket.remoteAddress ?? '');
    const siblings = waiting.get(key);
    if (siblings?.delete(socket)) waitingCount -= 1;
    if (siblings?.size === 0) waiting.delete(key);
    if (active.delete(socket)) plan();
  }

  function cut(socket: Socket): void {
    forget(socket);
    socket.destroy();
  }

  function next(): Socket | undefined {
    for (const [key, siblings] of waiting) {
      const [socket] = siblings;
      if (socket === undefined) continue;
      siblings.delete(socket);
      waitingCount -= 1;
      waiting.delete(key);
      if (siblings.size > 0) waiting.set(key, siblings);
      return socket;
    }
    return undefined;
  }

  /** In a turn of the loop of its own, so that everything else gets its turn between. */
  function plan(): void {
    if (isPlanned || waitingCount === 0) return;
    isPlanned = true;
    setImmediate(() => {
      isPlanned = false;
      work();
    });
  }

  function work(): void {
    clearTimeout(yieldTimer);
    const nowMs = performance.now();
    while (waitingCount > 0) {
      if (active.size >= rules.maxActive) {
        const [oldest] = active;
        if (oldest === undefined) return;
        const leftMs = oldest[1] + rules.yieldAfterMs - nowMs;
        if (leftMs > 0) {
          yieldTimer = setTimeout(work, leftMs);
          return;
        }
        cut(oldest[0]);
      }
      const socket = next();
      if (socket === undefined) return;
      active.set(socket, nowMs);
      begin(socket);
    }
  }

  function newestOfBusiest(): Socket | undefined {
    let most: Set<Socket> = new Set();
    for (const siblings of waiting.values()) if (siblings.size > most.size) most = siblings;
    return [...most].at(-1);
  }

  return {
    get active() {
      return active.size;
    },
    get waiting() {
      return waitingCount;
    },
    add(socket) {
      if (waitingCount >= rules.maxWaiting) {
        const crowded = newestOfBusiest();
        if (crowded !== undefined) cut(crowded);
      }
      const key = addressKey(socket.remoteAddress ?? '');
      const own = waiting.get(key) ?? new Set();
      waiting.set(key, own.add(socket));
      waitingCount += 1;
      timers.set(
        socket,
        setTimeout(() => cut(socket), rules.lifetimeMs),
      );
      socket.once('close', () => forget(socket));
      plan();
    },
    done: forget,
  };
}
