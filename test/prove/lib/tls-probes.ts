import { connect, getCiphers, type PeerCertificate, type SecureVersion, type TLSSocket } from 'node:tls';
import { APPLIANCE_SERVER_NAME } from '../../../agent/identity/pin.ts';
import type { KeyAndCertificate } from './certificates.ts';

export interface TlsTarget {
  readonly host: string;
  readonly port: number;
  readonly caPem: string;
  readonly client: KeyAndCertificate;
}

export interface Handshake {
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  /** OpenSSL names; the client's own security level is switched off, so that only the server can refuse. */
  readonly ciphers?: string;
  readonly alpn?: readonly string[];
  readonly session?: Buffer;
}

export interface Shaken {
  readonly protocol: string | null;
  readonly cipher: string;
  readonly certificate: PeerCertificate;
  readonly socket: TLSSocket;
}

const DEADLINE_MS = 15_000;

/** A handshake as far as it goes; undefined when the server ended it. The caller ends the socket. */
export function shakeHands({ host, port, caPem, client }: TlsTarget, how: Handshake): Promise<Shaken | undefined> {
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port,
      ca: caPem,
      key: client.keyPem,
      cert: client.certificatePem,
      servername: APPLIANCE_SERVER_NAME,
      ALPNProtocols: [...(how.alpn ?? ['h2'])],
      minVersion: how.minVersion ?? 'TLSv1',
      maxVersion: how.maxVersion ?? 'TLSv1.3',
      ciphers: `${how.ciphers ?? 'ALL'}:@SECLEVEL=0`,
      ...(how.session === undefined ? {} : { session: how.session }),
    });
    const fail = () => {
      socket.destroy();
      resolve(undefined);
    };
    socket.setTimeout(DEADLINE_MS, fail);
    socket.once('error', fail);
    socket.once('close', fail);
    socket.once('secureConnect', () =>
      resolve({
        protocol: socket.getProtocol(),
        cipher: socket.getCipher().name,
        certificate: socket.getPeerCertificate(),
        socket,
      }),
    );
  });
}

/** Whether the server shakes hands on these terms. */
export async function isShaken(target: TlsTarget, how: Handshake): Promise<boolean> {
  const shaken = await shakeHands(target, how);
  shaken?.socket.destroy();
  return shaken !== undefined;
}

/** Whether the connection lives on after the handshake: a server may shake hands first and hang up then. */
export async function isKept(target: TlsTarget, how: Handshake): Promise<boolean> {
  const shaken = await shakeHands(target, how);
  if (shaken === undefined) return false;
  return await new Promise((resolve) => {
    const { socket } = shaken;
    socket.setTimeout(3000, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('close', () => resolve(false));
    socket.once('error', () => resolve(false));
    // Whoever serves HTTP answers this one way or the other.
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  });
}

/** Every cipher suite below TLS 1.3 that this OpenSSL knows, in OpenSSL's names. */
export function oldCiphers(): string[] {
  return getCiphers()
    .filter((name) => !name.startsWith('tls_'))
    .map((name) => name.toUpperCase());
}
