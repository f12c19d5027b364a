import { type Socket, connect as tcpConnect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import fc from 'fast-check';
import type { KeyAndCertificate } from './certificates.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

function frame(type: number, flags: number, stream: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, body]);
}

const anyFrame = fc
  .tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 255 }), fc.nat(9), fc.uint8Array({ maxLength: 64 }))
  .map(([type, flags, stream, body]) => frame(type, flags, stream, body));

const repeated = (one: Buffer, count: number) => Buffer.concat(Array(count).fill(one) as Buffer[]);
/** Floods that HTTP/2 servers died of: pings, settings, resets, continuations without end, windows that overflow. */
const floods = [
  repeated(frame(6, 0, 0, Buffer.alloc(8)), 20_000),
  repeated(frame(4, 0, 0, Buffer.from([0, 3, 0, 0, 0, 1])), 10_000),
  Buffer.concat(
    Array.from({ length: 5000 }, (_, index) =>
      Buffer.concat([
        frame(1, 4, 2 * index + 1, Buffer.from([0x83, 0x86, 0x84, 0x41, 1, 0x61])),
        frame(3, 0, 2 * index + 1, Buffer.from([0, 0, 0, 8])),
      ]),
    ),
  ),
  Buffer.concat([frame(1, 0, 1, Buffer.from([0x83])), repeated(frame(9, 0, 1, Buffer.alloc(4096, 0x40)), 300)]),
  repeated(frame(8, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff])), 100),
];

/** Bytes behind a finished TLS handshake. */
export const hostileHttp2: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc
    .array(anyFrame, { maxLength: 30 })
    .map((frames) => Buffer.concat([PREFACE, frame(4, 0, 0, Buffer.alloc(0)), ...frames])),
  fc.constantFrom(...floods).map((flood) => Buffer.concat([PREFACE, frame(4, 0, 0, Buffer.alloc(0)), flood])),
  fc.uint8Array({ maxLength: 2000 }),
);

const line = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom(
    'GET / HTTP/1.1',
    'POST /api/local/claim HTTP/1.1',
    'POST /api/local/agent-tokens HTTP/1.1',
    'GET /%00%ff%2e%2e/ HTTP/1.1',
    'Host: 127.0.0.1',
    'Content-Type: application/json',
    'Content-Length: 5',
    'Content-Length: -1',
    'Transfer-Encoding: chunked',
    'Expect: 100-continue',
    'Upgrade: websocket',
    '',
    '{"code":{"__proto__":1}}',
  ),
  fc.integer({ min: 1000, max: 90_000 }).map((length) => `X-Long: ${'x'.repeat(length)}`),
);

/** What comes to the box's page. */
export const hostileHttp: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.array(line, { minLength: 1, maxLength: 12 }).map((lines) => Buffer.from(lines.join('\r\n'), 'latin1')),
  fc.uint8Array({ maxLength: 1000 }),
);

export interface Target {
  readonly host: string;
  readonly port: number;
  /** TLS, with this certificate when there is one. */
  readonly tls?: { readonly client?: KeyAndCertificate };
}

/** Sends the bytes on a connection of its own; resolves when it ends, or after `staysMs`. */
export function throwAt({ host, port, tls }: Target, bytes: Uint8Array, staysMs: number): Promise<void> {
  return new Promise((resolve) => {
    const socket: Socket =
      tls === undefined
        ? tcpConnect({ host, port })
        : tlsConnect({
            host,
            port,
            ALPNProtocols: ['h2'],
            rejectUnauthorized: false,
            ...(tls.client === undefined ? {} : { key: tls.client.keyPem, cert: tls.client.certificatePem }),
          });
    const timer = setTimeout(() => socket.destroy(), staysMs);
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.write(bytes);
  });
}
