import { X509Certificate } from 'node:crypto';
import type { ClientRequestArgs } from 'node:http';
import { Agent } from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect, getCACertificates, type TLSSocket } from 'node:tls';
import { type OutboundProxy, openTunnel } from './proxy.ts';
import { isTlsDateCode } from './relay-failure.ts';

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const MAX_CHAIN = 8;
const HANDSHAKE_MS = 10_000;

export interface TimedAgentOptions {
  readonly ca?: string | undefined;
  /** The time certificates are judged by when the system clock finds them out of date; undefined: there is none better. */
  trustedNowMs(): number | undefined;
  /** For the one call that only asks for the time: nothing it sends is secret, and its answer proves itself. */
  readonly toleratesDates?: boolean;
  readonly maxSockets: number;
  readonly proxy?: OutboundProxy | undefined;
}

/**
 * An agent whose connections are verified as always, with one exception: where OpenSSL's only complaint is a date, the
 * chain is walked again at the relay's own signed time. A box whose clock stands in 1970 finds home by that; a chain that
 * is wrong in any other way, or at that time, stays refused.
 */
export class TimedAgent extends Agent {
  readonly #options: TimedAgentOptions;

  constructor(options: TimedAgentOptions) {
    super({ keepAlive: options.toleratesDates !== true, maxSockets: options.maxSockets, timeout: 90_000 });
    this.#options = options;
  }

  override createConnection(
    request: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const { proxy } = this.#options;
    if (proxy === undefined) this.#shakeHands(request, undefined, callback);
    else {
      const [host, port] = [String(request.host), Number(request.port)];
      openTunnel(proxy, { host, port, timeoutMs: HANDSHAKE_MS }).then(
        (tunnel) => this.#shakeHands(request, tunnel, callback),
        (error: Error) => callback?.(error, undefined as unknown as Duplex),
      );
    }
    return undefined;
  }

  #shakeHands(
    request: ClientRequestArgs,
    tunnel: Duplex | undefined,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): void {
    const { ca } = this.#options;
    const host = String(request.host ?? 'localhost');
    const socket = connect({
      ...(request as ConnectionOptions),
      ...(tunnel === undefined ? {} : { socket: tunnel }),
      servername: /^[\d.]+$|:/.test(host) ? '' : host,
      minVersion: 'TLSv1.2',
      rejectUnauthorized: false,
      ...(ca === undefined ? {} : { ca }),
    });
    const fail = (error: Error) => {
      socket.destroy();
      callback?.(error, socket);
    };
    const tooLate = () => fail(Object.assign(new Error('no TLS in time'), { code: 'ETIMEDOUT' }));
    socket.setTimeout(HANDSHAKE_MS, tooLate);
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      socket.off('error', fail);
      socket.off('timeout', tooLate);
      socket.setTimeout(0);
      const fault = this.#faultOf(socket, host);
      if (fault === undefined) callback?.(null, socket);
      else fail(fault);
    });
  }

  #faultOf(socket: TLSSocket, host: string): Error | undefined {
    if (socket.authorized) return undefined;
    const error = socket.authorizationError as Error & { code?: string };
    const code = String(error?.code ?? error);
    const fault = Object.assign(new Error(code), { code });
    if (!isTlsDateCode(code)) return fault;
    if (this.#options.toleratesDates) return undefined;
    const atMs = this.#options.trustedNowMs();
    if (atMs === undefined) return fault;
    return chainHolds(chainOf(socket), { host, atMs, roots: rootsOf(this.#options.ca) }) ? undefined : fault;
  }
}

function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (
    let at = socket.getPeerX509Certificate();
    at !== undefined && chain.length < MAX_CHAIN;
    at = at.issuerCertificate
  ) {
    chain.push(at);
  }
  return chain;
}

function rootsOf(ca: string | undefined): X509Certificate[] {
  const pems =
    ca === undefined
      ? getCACertificates('default')
      : (ca.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []);
  return pems.map((pem) => new X509Certificate(pem));
}

/** Name, purpose, signatures and dates of each link up to a trusted root, all at `atMs`. Revocation is not looked at. */
export function chainHolds(
  chain: readonly X509Certificate[],
  { host, atMs, roots }: { host: string; atMs: number; roots: readonly X509Certificate[] },
): boolean {
  const isInTime = (one: X509Certificate) => one.validFromDate.getTime() <= atMs && atMs <= one.validToDate.getTime();
  const [leaf] = chain;
  if (leaf === undefined || leaf.ca) return false;
  const names = /^[\d.]+$|:/.test(host) ? leaf.checkIP(host) : leaf.checkHost(host, { subject: 'never' });
  if (names === undefined || !leaf.keyUsage?.includes(SERVER_AUTH)) return false;
  for (const [i, one] of chain.entries()) {
    if (!isInTime(one) || (i > 0 && !one.ca)) return false;
    const root = roots.find((candidate) => one.checkIssued(candidate) && one.verify(candidate.publicKey));
    if (root !== undefined) return isInTime(root);
    const issuer = chain[i + 1];
    if (issuer === undefined || !one.checkIssued(issuer) || !one.verify(issuer.publicKey)) return false;
  }
  return false;
}
