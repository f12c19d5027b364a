import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { newId } from '@sitewarden/kit/ids';
import { relayErrors } from '../errors.ts';

/** Bytes that are no HTTP request never become one: the answer is written by hand, with the headers all others have. */
export function refuseConnection(error: { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const coded = relayErrors.make(codeOf(error.code));
  const body = JSON.stringify(coded.toJSON());
  const head = [
    `HTTP/1.1 ${coded.status} ${STATUS_CODES[coded.status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${newId('req')}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    "content-security-policy: default-src 'none'; frame-ancestors 'none'",
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function codeOf(fault: string | undefined) {
  if (fault === 'HPE_HEADER_OVERFLOW') return 'HEADERS_TOO_LARGE';
  return fault === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'REQUEST_TOO_SLOW' : 'REQUEST_MALFORMED';
}

/** An address that cannot be decoded names nothing; as another one it takes the way of every address that is unknown. */
export function decodableUrl(url: string): string {
  try {
    decodeURI(url.split('?', 1)[0] as string);
    return url;
  } catch {
    return '/api/undecodable';
  }
}
