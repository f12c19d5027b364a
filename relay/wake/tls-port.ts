import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer } from 'node:tls';
import type { Logger } from '@sitewarden/kit/log';
import { relayErrors } from '../errors.ts';

export interface TlsPortConfig {
  readonly host: string;
  readonly port: number;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface TlsPort {
  readonly port: number;
  close(): Promise<void>;
}

const HANDSHAKE_MS = 5000;
/** Certificates live for weeks and are replaced under the same name. */
const RELOAD_EVERY_MS = 3_600_000;

async function readPair({ certFile, keyFile }: TlsPortConfig): Promise<{ cert: Buffer; key: Buffer }> {
  const read = (path: string, field: string) =>
    readFile(path).catch((cause: Error) => {
      throw relayErrors.make('CONFIG_INVALID', { field, detail: `${path} cannot be read`, cause });
    });
  return { cert: await read(certFile, 'wake.tls.certFile'), key: await read(keyFile, 'wake.tls.keyFile') };
}

/** MQTT over TLS on a port of its own. Throws CONFIG_INVALID for files that are none, LISTEN_FAILED for the address. */
export async function openTlsPort(
  config: TlsPortConfig,
  {
    maxConnections,
    log,
    onStream,
  }: { maxConnections: number; log: Logger; onStream(stream: Duplex, address: string): void },
): Promise<TlsPort> {
  const pair = await readPair(config);
  let server: ReturnType<typeof createServer>;
  try {
    server = createServer({ ...pair, minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_MS });
  } catch (cause) {
    throw relayErrors.make('CONFIG_INVALID', { field: 'wake.tls.certFile', detail: 'They are no pair in PEM', cause });
  }
  server.maxConnections = maxConnections;
  server.on('secureConnection', (socket) => {
    socket.setNoDelay(true);
    onStream(socket, socket.remoteAddress ?? '');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const detail = `${config.host} port ${config.port}: ${cause.code}`;
      reject(relayErrors.make('LISTEN_FAILED', { field: 'wake.tls.port', detail, cause }));
    });
    server.listen(config.port, config.host, resolve);
  });
  server.on('error', (error) => log.error({ err: error }, 'the TLS port of wakes failed'));
  server.on('tlsClientError', (error) => log.debug({ err: error }, 'a TLS connection for wakes failed'));
  const timer = setInterval(() => {
    readPair(config)
      .then((now) => server.setSecureContext({ ...now, minVersion: 'TLSv1.2' }))
      .catch((error: unknown) => log.error({ err: error }, 'the certificate of wakes was not read anew'));
  }, RELOAD_EVERY_MS);
  timer.unref();
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      clearInterval(timer);
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
