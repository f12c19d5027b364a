import { request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';

/** The way out of a site that lets nobody out directly: an HTTP proxy that tunnels (CONNECT). */
export interface OutboundProxy {
  /** Like http://proxy.clinic.local:3128; without credentials. */
  readonly url: string;
  /** `user:password`. Never shown or logged. */
  readonly credentials?: string | undefined;
}

/** `statusCode` 0: there was no answer; `code` is then that of the socket error. */
export class ProxyFailure extends Error {
  override readonly name = 'ProxyFailure';
  readonly code: string;
  readonly statusCode: number;

  constructor(code: string, statusCode: number) {
    super(`${code}${statusCode === 0 ? '' : ` ${statusCode}`}`);
    this.code = code;
    this.statusCode = statusCode;
  }
}

/** A socket that reaches host and port through the proxy. Rejects with ProxyFailure, code PROXY_REFUSED when it answered. */
export function openTunnel(
  proxy: OutboundProxy,
  { host, port, timeoutMs }: { host: string; port: number; timeoutMs: number },
): Promise<Socket> {
  const { hostname, port: proxyPort } = new URL(proxy.url);
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const { credentials } = proxy;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(proxyPort || 80),
      method: 'CONNECT',
      path: authority,
      agent: false,
      headers: {
        host: authority,
        ...(credentials === undefined
          ? {}
          : { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }),
      },
    });
    const timer = setTimeout(
      () => outgoing.destroy(Object.assign(new Error('ETIMEDOUT'), { code: 'ETIMEDOUT' })),
      timeoutMs,
    );
    outgoing.on('connect', ({ statusCode = 0 }, socket) => {
      clearTimeout(timer);
      if (statusCode === 200) return resolve(socket as Socket);
      socket.destroy();
      reject(new ProxyFailure('PROXY_REFUSED', statusCode));
    });
    outgoing.on('response', (answer) => {
      clearTimeout(timer);
      answer.destroy();
      reject(new ProxyFailure('PROXY_REFUSED', answer.statusCode ?? 0));
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(new ProxyFailure(error.code ?? 'ECONNRESET', 0));
    });
    outgoing.end();
  });
}

/** With its credentials, for those who take them in the address only. Not to be shown or logged. */
export function proxyUrl({ url, credentials }: OutboundProxy): string {
  if (credentials === undefined) return url;
  const whole = new URL(url);
  const colon = credentials.indexOf(':');
  whole.username = encodeURIComponent(credentials.slice(0, colon));
  whole.password = encodeURIComponent(credentials.slice(colon + 1));
  return whole.href;
}
