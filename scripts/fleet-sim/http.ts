import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export interface HttpAnswer {
  status: number;
  retryAfterS: number | undefined;
  text: string;
}

export interface HttpClient {
  readonly origin: string;
  /** Rejects when there is no answer. */
  send(method: string, path: string, headers: Record<string, string>, body: Buffer): Promise<HttpAnswer>;
  close(): void;
}

const MAX_SOCKETS = 256;
const TIMEOUT_MS = 30_000;

/** A pool of kept connections to one relay. */
export function createHttpClient(origin: string): HttpClient {
  const isHttps = origin.startsWith('https:');
  const options = { keepAlive: true, maxSockets: MAX_SOCKETS, scheduling: 'lifo' as const };
  const agent = isHttps ? new HttpsAgent(options) : new HttpAgent(options);
  const begin = isHttps ? httpsRequest : httpRequest;
  return {
    origin,
    send: (method, path, headers, body) =>
      new Promise((resolve, reject) => {
        const outgoing = begin(
          new URL(path, origin),
          { agent, method, headers: { ...headers, 'content-length': body.length }, timeout: TIMEOUT_MS },
          (incoming) => {
            const parts: Buffer[] = [];
            incoming.on('data', (part: Buffer) => parts.push(part));
            incoming.on('error', reject);
            incoming.on('end', () => {
              const retryAfter = Number(incoming.headers['retry-after']);
              resolve({
                status: incoming.statusCode ?? 0,
                retryAfterS: Number.isFinite(retryAfter) ? retryAfter : undefined,
                text: Buffer.concat(parts).toString('utf8'),
              });
            });
          },
        );
        outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
        outgoing.on('error', reject);
        outgoing.end(body);
      }),
    close: () => agent.destroy(),
  };
}
