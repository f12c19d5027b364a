import { constants } from 'node:crypto';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Logger } from '@sitewarden/kit/log';
import type { ServerTls } from '../identity/index.ts';
import { listenFailed } from '../lib/listen-failed.ts';
import { createAgentConnections } from './agent-connections.ts';
import { createPool } from './connection-pool.ts';
import { awaitFirstRecord } from './first-record.ts';
import { createHandshakeQueue } from './handshake-queue.ts';
import type { Peer } from './peers.ts';

/**
 * TCP connections whose first message is not whole yet. All agents of a site that come back at once are accepted before one of
 * them is read, so all of them must fit, also behind one NAT; each holds a few KiB.
 */
const SILENT = { max: 2048, maxPerAddress: 1024, lifetimeMs: 5000 } as const;
const HANDSHAKES = { maxActive: 64, maxWaiting: 1024, yieldAfterMs: 1000, lifetimeMs: 15_000 } as const;
const HANDSHAKE_MS = 5000;
/** A first message has a few hundred bytes; what follows it before the handshake began is not read. */
const FIRST_BYTES = 16 * 1024;
const BACKLOG = 1024;
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
  /** Ends this connection, named as for `peer`. */
  drop(name: string): void;
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
  const silent = createPool(SILENT);
  const anonymous = createPool(ANONYMOUS);
  const agents = createAgentConnections<TLSSocket>({
    max: MAX_AGENT_CONNECTIONS,
    maxPerAgent: MAX_CONNECTIONS_PER_AGENT,
  });

  const server: Server = createServer({
    key: options.tls.keyPem,
    cert: options.tls.certificatePem + options.caPem,
    ca: options.caPem,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['h2'],
    handshakeTimeout: HANDSHAKE_MS,
    // A ticket would carry an old judgement about a certificate into a new connection.
    secureOptions:
      constants.SSL_OP_NO_TICKET |
      constants.SSL_OP_NO_RENEGOTIATION |
      constants.SSL_OP_CIPHER_SERVER_PREFERENCE |
      constants.SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION,
    ciphers:
      'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:' +
      'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256',
  });
  const handshakes = createHandshakeQueue(HANDSHAKES, (socket) => server.emit('connection', socket));

  const tcp = createTcpServer({ noDelay: true, keepAlive: true, highWaterMark: FIRST_BYTES }, (socket) => {
    const key = keyOf(socket);
    raw.set(key, socket);
    socket.once('close', () => raw.delete(key));
    socket.on('error', dropped);
    silent.add(socket);
    awaitFirstRecord(socket, () => {
      silent.remove(socket);
      handshakes.add(socket);
    });
  });
  server.on('secureConnection', accept);
  server.on('tlsClientError', (error, socket) => {
    log.debug({ code: (error as NodeJS.ErrnoException).code }, 'TLS handshake failed');
    socket.destroy();
  });

  function dropped(error: Error): void {
    log.debug({ code: (error as NodeJS.ErrnoException).code }, 'agent connection failed');
  }

  function accept(socket: TLSSocket): void {
    const key = keyOf(socket);
    const below = raw.get(key);
    if (below !== undefined) handshakes.done(below);
    socket.on('error', dropped);
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
    if (agents.admit(socket, agentId)) return true;
    log.warn({ agentId, max: MAX_AGENT_CONNECTIONS }, 'too many agents at once; a connection was refused');
    socket.destroy();
    return false;
  }

  await new Promise<void>((resolve, reject) => {
    const fail = (cause: Error) => reject(listenFailed('intake', options, cause));
    tcp.once('error', fail);
    tcp.listen({ host: options.host, port: options.port, backlog: BACKLOG }, () => {
      tcp.off('error', fail);
      resolve();
    });
  });
  tcp.on('error', (error) => log.error({ err: error }, 'agent port failed'));
  const address = tcp.address();

  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    peer: (name) => peers.get(name)?.peer,
    cut(matches) {
      const found = [...peers.values()].filter(({ peer }) => peer.kind === 'agent' && matches(peer));
      for (const { socket } of found) socket.destroy();
      return found.length;
    },
    drop: (name) => peers.get(name)?.socket.destroy(),
    useTls(tls) {
      server.setSecureContext({ key: tls.keyPem, cert: tls.certificatePem + options.caPem, ca: options.caPem });
    },
    close() {
      const closed = new Promise<void>((resolve) => tcp.close(() => resolve()));
      for (const socket of [...raw.values()]) socket.destroy();
      return closed;
    },
  };
}
