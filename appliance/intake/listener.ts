import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Logger } from '@sitewarden/kit/log';
import type { ServerTls } from '../identity/index.ts';
import { listenFailed } from '../lib/listen-failed.ts';
import type { Peer } from './peers.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Enrolling takes one call; whoever stays longer without a certificate only holds a socket. */
const ANONYMOUS_LIFETIME_MS = 30_000;
export const MAX_CONNECTIONS = 512;
const MAX_ANONYMOUS = 64;

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: ServerTls;
  /** Sent along, so that an agent that enrols can pin it; client certificates are judged by `classify`. */
  readonly caPem: string;
  readonly log: Logger;
  classify(socket: TLSSocket): Peer;
  /** An HTTP/2 connection to serve. */
  onConnection(socket: TLSSocket): void;
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
  const raw = new Set<Socket>();
  let anonymous = 0;

  const server: Server = createServer({
    key: options.tls.keyPem,
    cert: options.tls.certificatePem + options.caPem,
    ca: options.caPem,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['h2'],
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
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

  server.maxConnections = MAX_CONNECTIONS;
  server.on('connection', (socket: Socket) => {
    raw.add(socket);
    socket.once('close', () => raw.delete(socket));
  });
  server.on('secureConnection', accept);
  server.on('tlsClientError', (error, socket) => {
    log.debug({ code: (error as NodeJS.ErrnoException).code }, 'TLS handshake failed');
    socket.destroy();
  });

  function accept(socket: TLSSocket): void {
    socket.on('error', (error) =>
      log.debug({ code: (error as NodeJS.ErrnoException).code }, 'agent connection failed'),
    );
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy();
      return;
    }
    const peer = options.classify(socket);
    if (peer.kind !== 'agent' && !admitAnonymous(socket)) return;
    const key = keyOf(socket);
    peers.set(key, { socket, peer });
    socket.once('close', () => peers.delete(key));
    options.onConnection(socket);
  }

  function admitAnonymous(socket: TLSSocket): boolean {
    if (anonymous >= MAX_ANONYMOUS) {
      socket.destroy();
      return false;
    }
    anonymous += 1;
    const timer = setTimeout(() => socket.destroy(), ANONYMOUS_LIFETIME_MS);
    socket.once('close', () => {
      anonymous -= 1;
      clearTimeout(timer);
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
      for (const socket of raw) socket.destroy();
      return closed;
    },
  };
}
