import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Logger } from '@sitewarden/kit/log';
import type { ServerTls } from '../identity/index.ts';
import { listenFailed } from '../lib/listen-failed.ts';
import { createPool } from './connection-pool.ts';
import type { Peer } from './peers.ts';

/** TCP connections without a finished handshake. An agent needs milliseconds; all of a site behind one NAT fit at once. */
const HANDSHAKES = { max: 256, maxPerAddress: 128, lifetimeMs: 5000 } as const;
/** Enrolling takes one call; whoever stays longer without a certificate only holds a socket. */
const ANONYMOUS = { max: 64, maxPerAddress: 48, lifetimeMs: 15_000 } as const;
/** Nobody without a good certificate can take any of these. */
const MAX_AGENT_CONNECTIONS = 512;
/** One in use, one that takes its place, and a dead one that keepalive has not found yet. */
export const MAX_CONNECTIONS_PER_AGENT = 3;

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: ServerTls;
  /** Sent along, so that an agent that enrols can pin it; client certificates are judged by `classify`. */
  readonly caPem: string;
  readonly log: Logger;
  classify(socket: TLSSocket): Peer;
  /** An HTTP/2 connection to serve. */
  onConnection(socket: TLSSocket, peer: Peer): void;
}

export interface Listener {
  readonly port: number;
  /** By `address:port` of the client, as gRPC calls name it. */
  peer(name: string): Peer | undefined;
  /** Ends every connection of this agent, or those its certificate has run out for. */
  cut(matches: (peer: Extract<Peer, { kind: 'agent' }>) => boolean): number;
  useTls(tls: ServerTls): void;
  close(): Promise<void>;
}

const keyOf = (socket: Socket): string => `${socket.remoteAddress}:${socket.remotePort}`;

/**
 * The TLS socket of the agents' port. A client certificate is asked for and not demanded: Enroll has none yet. gRPC's own
 * server can demand one or ignore it; so TLS ends here, and calls look up who their connection belongs to.
 * Throws LISTEN_FAILED.
 */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { log } = options;
  const peers = new Map<string, { socket: TLSSocket; peer: Peer }>();
  const raw = new Map<string, Socket>();
  const handshakes = createPool(HANDSHAKES);
  const anonymous = createPool(ANONYMOUS);
  /** Oldest first. */
  const byAgent = new Map<string, Set<TLSSocket>>();
  let agentConnections = 0;

  const server: Server = createServer({
    key: options.tls.keyPem,
    cert: options.tls.certificatePem + options.caPem,
    ca: options.caPem,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['h2'],
    handshakeTimeout: HANDSHAKES.lifetimeMs,
    // A ticket would carry an old judgement about a certificate into a new connection.
    secureOptions:
      constants.SSL_OP_NO_TICKET |
      constants.SSL_OP_NO_RENEGOTIATION |
      constants.SSL_OP_CIPHER_SERVER_PREFERENCE |
      constants.SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION,
    ciphers:
      'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:' +
      'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256',
    noDelay: true,
    keepAlive: true,
  });

  server.on('connection', (socket: Socket) => {
    const key = keyOf(socket);
    raw.set(key, socket);
    socket.once('close', () => raw.delete(key));
    handshakes.add(socket);
  });
  server.on('secureConnection', accept);
  server.on('tlsClientError', (error, socket) => {
    log.debug({ code: (error as NodeJS.ErrnoException).code }, 'TLS handshake failed');
    socket.destroy();
  });

  function accept(socket: TLSSocket): void {
    const key = keyOf(socket);
    const below = raw.get(key);
    if (below !== undefined) handshakes.remove(below);
    socket.on('error', (error) =>
      log.debug({ code: (error as NodeJS.ErrnoException).code }, 'agent connection failed'),
    );
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy();
      return;
    }
    const peer = options.classify(socket);
    if (peer.kind !== 'agent') anonymous.add(socket);
    else if (!admitAgent(socket, peer.agentId)) return;
    peers.set(key, { socket, peer });
    socket.once('close', () => peers.delete(key));
    options.onConnection(socket, peer);
  }

  function admitAgent(socket: TLSSocket, agentId: string): boolean {
    const own = byAgent.get(agentId) ?? new Set<TLSSocket>();
    const [oldest] = own;
    const isFull = agentConnections >= MAX_AGENT_CONNECTIONS;
    // What is left of an agent that comes back makes room for it, though nobody has noticed yet that it is dead.
    if ((isFull || own.size >= MAX_CONNECTIONS_PER_AGENT) && oldest !== undefined) {
      own.delete(oldest);
      oldest.destroy();
    } else if (isFull) {
      log.warn({ agentId, max: MAX_AGENT_CONNECTIONS }, 'too many agents at once; a connection was refused');
      socket.destroy();
      return false;
    }
    byAgent.set(agentId, own.add(socket));
    agentConnections += 1;
    socket.once('close', () => {
      agentConnections -= 1;
      own.delete(socket);
      if (own.size === 0 && byAgent.get(agentId) === own) byAgent.delete(agentId);
    });
    return true;
  }

  await new Promise<void>((resolve, reject) => {
    const fail = (cause: Error) => reject(listenFailed('intake', options, cause));
    server.once('error', fail);
    server.listen({ host: options.host, port: options.port }, () => {
      server.off('error', fail);
      resolve();
    });
  });
  server.on('error', (error) => log.error({ err: error }, 'agent port failed'));
  const address = server.address();

  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    peer: (name) => peers.get(name)?.peer,
    cut(matches) {
      const found = [...peers.values()].filter(({ peer }) => peer.kind === 'agent' && matches(peer));
      for (const { socket } of found) socket.destroy();
      return found.length;
    },
    useTls(tls) {
      server.setSecureContext({ key: tls.keyPem, cert: tls.certificatePem + options.caPem, ca: options.caPem });
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of [...raw.values()]) socket.destroy();
      return closed;
    },
  };
}
