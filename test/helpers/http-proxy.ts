import { createServer, type IncomingMessage, type RequestListener, request, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';

/**
 * What to do with one exchange. `hold`: the request was read whole and is never forwarded. `drop-answer`: the relay got it
 * and answered, the box never hears of it; both end when the box hangs up. `lose-answer`: the same, but the connection
 * breaks at once. `duplicate`: the relay gets the request twice.
 */
export type Verdict = 'pass' | 'hold' | 'drop-answer' | 'lose-answer' | 'refuse' | 'duplicate';

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly requestHeaders: IncomingMessage['headers'];
  readonly requestBody: Buffer;
  readonly status: number;
  readonly answerHeaders: IncomingMessage['headers'];
  readonly answerBody: Buffer;
}

export interface HttpProxy {
  readonly url: string;
  readonly port: number;
  /** Decides for each request; default: pass. */
  decide: (path: string, method: string) => Verdict;
  /** What the box gets instead of the relay's answer; default: the answer itself. */
  rewrite: (path: string, body: Buffer) => Buffer;
  /** Told of each exchange that was answered; nothing is told by default. */
  observe: (exchange: Exchange) => void;
  /** Resolves when an exchange with this verdict reached its point (read whole, or answered behind). */
  reached(verdict: Verdict): Promise<string>;
  setTarget(port: number): void;
  /** Lets upgrades through as they are, or answers them as plain requests, which is the default. */
  passUpgrades(isPassed: boolean): void;
  close(): Promise<void>;
}

/** Stands between a box and its relay on loopback, and keeps the Host header so that signatures hold. `tls`: ends it, as a load balancer does. */
export async function startHttpProxy(port = 0, tls?: { key: string; cert: string }): Promise<HttpProxy> {
  let target = 0;
  const waiting: { verdict: Verdict; resolve: (path: string) => void }[] = [];
  const announce = (verdict: Verdict, path: string) => {
    for (const waiter of waiting.filter((one) => one.verdict === verdict)) {
      waiting.splice(waiting.indexOf(waiter), 1);
      waiter.resolve(path);
    }
  };
  const exchange: RequestListener = async (incoming, outgoing) => {
    const path = incoming.url ?? '/';
    const body = await readAll(incoming);
    const verdict = proxy.decide(path, incoming.method ?? 'GET');
    if (verdict === 'refuse') return void outgoing.destroy();
    if (verdict === 'hold') return announce(verdict, path);
    if (verdict === 'duplicate') await forward(target, incoming, body).catch(() => {});
    const answer = await forward(target, incoming, body).catch(() => undefined);
    if (!answer) return void outgoing.destroy();
    const { status, headers: answerHeaders, body: answerBody } = answer;
    const { method = 'GET', headers: requestHeaders } = incoming;
    proxy.observe({ method, path, requestHeaders, requestBody: body, status, answerHeaders, answerBody });
    if (verdict === 'drop-answer') return announce(verdict, path);
    if (verdict === 'lose-answer') return void outgoing.destroy();
    announce(verdict, path);
    relayAnswer({ ...answer, body: proxy.rewrite(path, answerBody) }, outgoing);
  };
  const server = tls === undefined ? createServer(exchange) : createTlsServer(tls, exchange);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  const tunnels = new Set<Socket>();
  const tunnel = (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    const path = incoming.url ?? '/';
    const behind = connect(target, '127.0.0.1');
    for (const [one, other] of [
      [socket, behind],
      [behind, socket],
    ] as const) {
      tunnels.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        tunnels.delete(one);
        other.destroy();
      });
    }
    if (proxy.decide(path, incoming.method ?? 'GET') !== 'pass') return void socket.destroy();
    const headers = incoming.rawHeaders.flatMap((name, i, all) => (i % 2 === 0 ? [`${name}: ${all[i + 1]}`] : []));
    behind.write(`${[`${incoming.method} ${path} HTTP/1.1`, ...headers].join('\r\n')}\r\n\r\n`);
    behind.write(head);
    socket.pipe(behind).pipe(socket);
  };
  const proxy: HttpProxy = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}`,
    port: address.port,
    decide: () => 'pass',
    rewrite: (_path, body) => body,
    observe: () => {},
    reached: (verdict) => new Promise((resolve) => waiting.push({ verdict, resolve })),
    setTarget: (value) => {
      target = value;
    },
    passUpgrades(isPassed) {
      server.removeAllListeners('upgrade');
      if (isPassed) server.on('upgrade', tunnel);
      else for (const socket of tunnels) socket.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of tunnels) socket.destroy();
        server.closeAllConnections();
      }),
  };
  return proxy;
}

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

function forward(port: number, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        method: incoming.method,
        path: incoming.url,
        headers: { ...incoming.headers, connection: 'close' },
      },
      (answer) => {
        readAll(answer).then(
          (bytes) => resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: bytes }),
          reject,
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function relayAnswer(answer: Answer, outgoing: ServerResponse): void {
  const { 'transfer-encoding': _chunked, connection: _connection, ...headers } = answer.headers;
  outgoing.writeHead(answer.status, { ...headers, 'content-length': answer.body.length });
  outgoing.end(answer.body);
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
