// The client of `checkin-http`: prepared requests over kept connections, as little work of its own as can be.
import { connect, type Socket } from 'node:net';
import { serveParent } from '../lib/child.ts';

export interface HttpLoad {
  port: number;
  connections: number;
  /** Whole requests, head and body. */
  requests: readonly Uint8Array[];
}

export interface HttpLoadResult {
  seconds: number;
  /** Bodies of the answers, in the order of the requests. */
  answers: string[];
}

serveParent<HttpLoad, HttpLoadResult>({}, async ({ port, connections, requests }) => {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const answers: string[] = new Array(requests.length);
  let next = 0;
  const fromMs = performance.now();
  await Promise.all(
    sockets.map(async (socket) => {
      const exchange = exchanger(socket);
      for (let index = next++; index < requests.length; index = next++) {
        answers[index] = await exchange(requests[index]!);
      }
    }),
  );
  const seconds = (performance.now() - fromMs) / 1000;
  for (const socket of sockets) socket.destroy();
  return { seconds, answers };
});

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** One request, then its answer; both servers send a Content-Length. Throws unless the status is 200. */
function exchanger(socket: Socket): (request: Uint8Array) => Promise<string> {
  let text = '';
  let settle: { resolve(body: string): void; reject(error: Error): void } | undefined;
  socket.setEncoding('latin1');
  socket.on('data', (part: string) => {
    text += part;
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = text.slice(0, end);
    const length = Number(/content-length: *(\d+)/i.exec(head)?.[1]);
    if (text.length < end + 4 + length) return;
    const body = text.slice(end + 4);
    text = '';
    if (head.startsWith('HTTP/1.1 200 ')) settle?.resolve(body);
    else settle?.reject(new Error(`${head.split('\r\n', 1)[0]} ${body.slice(0, 300)}`));
  });
  socket.on('close', () => settle?.reject(new Error('the connection was closed')));
  return (request) =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject };
      socket.write(request);
    });
}
