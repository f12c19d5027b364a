import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { BOX_PATHS, type Validator } from '@sitewarden/agent-proto/http';
import type { SignedHeaders } from '@sitewarden/agent-proto/http-signature';
import { makeNonce } from '@sitewarden/agent-proto/http-signature';
import type { Clock } from '@sitewarden/kit/time';
import { type OutboundProxy, proxyUrl } from './proxy.ts';
import type { RelayClock } from './relay-clock.ts';
import { fromAnswer, fromSocketError, isTlsDateCode, RelayFailure } from './relay-failure.ts';
import { TimedAgent } from './tls-at-time.ts';

export interface RelayRequest {
  readonly method: 'GET' | 'POST';
  /** From BOX_PATHS. */
  readonly path: string;
  readonly body?: Uint8Array | string;
  readonly contentType?: string;
  /** From the first byte out to the last one in. Default 30,000. */
  readonly timeoutMs?: number;
  /** The route asks for the newest check-in token. */
  readonly isTokenAsked?: true;
}

/** Where the newest check-in token is, and who is told when the relay wants a newer one. */
export interface CheckinTokenSource {
  token(): string | null;
  /** The relay said CHECKIN_FIRST; the request fails with it. */
  onCheckinFirst(): void;
}

export interface RelayAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export interface RelayClient {
  /** Origin of the relay, without a slash at the end. */
  readonly origin: string;
  readonly clock: RelayClock;
  /** The answer of a signed request when it is 2xx. Rejects with RelayFailure. */
  send(request: RelayRequest): Promise<RelayAnswer>;
  /** The same, with a JSON answer that fits its schema. */
  sendJson<T>(request: RelayRequest, validate: Validator<T>): Promise<T>;
  /** Verifies signed time over a nonce and takes it; false when it does not hold. */
  takeSignedTime(envelope: unknown, over: { nonce: string; roundTripMs: number }): boolean;
  /** From here on requests that need a check-in token have it; without, they are sent without one. */
  useCheckinTokens(source: CheckinTokenSource): void;
  close(): void;
}

export interface RelayClientOptions {
  readonly url: string;
  /** PEM of the only CA to trust; default: the system's. */
  readonly ca?: string | undefined;
  /** The way out where there is no direct one. */
  readonly proxy?: OutboundProxy | undefined;
  readonly clock: Clock;
  readonly relayClock: RelayClock;
  sign(input: {
    method: string;
    url: string;
    body: Uint8Array | string;
    createdS: number;
    nonce: string;
    checkinToken?: string | undefined;
  }): SignedHeaders;
  /** Time inside an envelope signed by the relay's `time` key over `nonce`; undefined when it does not hold. */
  readSignedTime(envelope: string, nonce: string): number | undefined;
  readonly userAgent: string;
  /** Whether signed time can be verified. */
  hasRelayKeys(): boolean;
  /** Verifies and keeps newer working keys of the relay; throws when the pinned root did not sign them. */
  takeRelayKeys(envelope: string): unknown;
  /** A request the relay refuses for its time alone, with nothing secret in it. */
  timeProbe(): RelayRequest;
}

const CONNECT_TIMEOUT_MS = 10_000;
const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const IDLE_SOCKET_MS = 90_000;
const MAX_SOCKETS = 4;

/** Signs every request, bounds every answer, and signs once more with the relay's time when the clock was the fault. */
export function createRelayClient(options: RelayClientOptions): RelayClient {
  const { clock, relayClock } = options;
  const origin = new URL(options.url).origin;
  const isTls = origin.startsWith('https:');
  const { proxy } = options;
  const timed = { ca: options.ca, proxy, maxSockets: MAX_SOCKETS, trustedNowMs: relayClock.trustedNowMs };
  const agent = isTls
    ? new TimedAgent(timed)
    : new HttpAgent({
        keepAlive: true,
        maxSockets: MAX_SOCKETS,
        timeout: IDLE_SOCKET_MS,
        ...(proxy === undefined ? {} : { proxyEnv: { HTTP_PROXY: proxyUrl(proxy) } }),
      });
  const begin = isTls ? httpsRequest : httpRequest;
  /** The relay closed a kept connection just as it was used again: worth one try on a fresh one, for all is idempotent. */
  const stale = new WeakSet<RelayFailure>();
  let tokens: CheckinTokenSource | undefined;

  function once(request: RelayRequest, nonce: string, via: HttpAgent = agent): Promise<RelayAnswer> {
    const { method, path, body = '', contentType, timeoutMs = DEFAULT_TIMEOUT_MS } = request;
    const url = origin + path;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const createdS = Math.floor(relayClock.nowMs() / 1000);
    const checkinToken = request.isTokenAsked ? (tokens?.token() ?? undefined) : undefined;
    const headers: Record<string, string> = {
      ...options.sign({ method, url, body: bytes, createdS, nonce, checkinToken }),
      'user-agent': options.userAgent,
      accept: 'application/json, text/plain',
    };
    if (method === 'POST') {
      headers['content-type'] = contentType ?? 'application/json';
      headers['content-length'] = String(bytes.length);
    }
    return new Promise((resolve, reject) => {
      let isConnected = false;
      const outgoing = begin(url, { method, headers, agent: via });
      const fail = (failure: RelayFailure) => {
        clearTimeout(timer);
        reject(failure);
        outgoing.destroy();
      };
      let timer = setTimeout(
        () => fail(timedOut('unsent', CONNECT_TIMEOUT_MS)),
        Math.min(timeoutMs, CONNECT_TIMEOUT_MS),
      );
      const connected = () => {
        isConnected = true;
        clearTimeout(timer);
        timer = setTimeout(() => fail(timedOut('ambiguous', timeoutMs)), timeoutMs);
      };
      outgoing.on('socket', (socket: Socket) => {
        if (!socket.connecting) connected();
        else socket.once(isTls ? 'secureConnect' : 'connect', connected);
      });
      outgoing.on('error', (error) => {
        const failure = fromSocketError(error, isConnected);
        if (outgoing.reusedSocket && failure.kind === 'ambiguous') stale.add(failure);
        fail(failure);
      });
      outgoing.on('response', (incoming) => {
        readBody(incoming).then(
          (answer) => {
            clearTimeout(timer);
            if (incoming.statusCode! >= 200 && incoming.statusCode! < 300) {
              resolve({ status: incoming.statusCode!, body: answer });
              return;
            }
            const retryAfter = incoming.headers['retry-after'];
            reject(fromAnswer(incoming.statusCode!, { body: answer, retryAfter, nowMs: relayClock.nowMs() }));
          },
          (error: Error) => fail(error instanceof RelayFailure ? error : fromSocketError(error, true)),
        );
      });
      outgoing.end(method === 'POST' ? bytes : undefined);
    });
  }

  function takeSignedTime(envelope: unknown, { nonce, roundTripMs }: { nonce: string; roundTripMs: number }): boolean {
    if (typeof envelope !== 'string') return false;
    const timeMs = options.readSignedTime(envelope, nonce);
    if (timeMs === undefined) return false;
    relayClock.take(timeMs, roundTripMs);
    return true;
  }

  /** Public words that prove themselves, so the wrong time of the request, and `via` a lenient connection, do no harm. */
  async function fetchKeys(via: HttpAgent): Promise<void> {
    const request = { method: 'GET', path: BOX_PATHS.relayKeys, timeoutMs: CONNECT_TIMEOUT_MS } as const;
    const { body } = await once(request, makeNonce(), via);
    options.takeRelayKeys((JSON.parse(body.toString('utf8')) as { relayKeys: string }).relayKeys);
  }

  /** A box that knows no keys of the relay yet, or replaced ones, gets them first: once for each refusal. */
  async function takeTimeOf(
    { data: { signedTime } }: RelayFailure,
    { nonce, beganMs, via }: { nonce: string; beganMs: number; via: HttpAgent },
  ): Promise<boolean> {
    const take = () => takeSignedTime(signedTime, { nonce, roundTripMs: clock.monotonicMs() - beganMs });
    if (typeof signedTime !== 'string') return false;
    if (take()) return true;
    try {
      await fetchKeys(via);
    } catch {
      return false;
    }
    return take();
  }

  /**
   * The certificate of the relay is out of date by the clock of the box: which of the two is wrong, the relay's signed
   * time says. It is asked for over a connection whose dates are not judged, with nothing in it that is secret.
   */
  async function askTime(): Promise<boolean> {
    if (relayClock.trustedNowMs() !== undefined) return false;
    const lenient = new TimedAgent({ ...timed, toleratesDates: true });
    const nonce = makeNonce();
    const beganMs = clock.monotonicMs();
    try {
      if (!options.hasRelayKeys()) await fetchKeys(lenient);
      await once(options.timeProbe(), nonce, lenient);
      return false;
    } catch (error) {
      if (!(error instanceof RelayFailure) || error.kind !== 'clock') return false;
      return await takeTimeOf(error, { nonce, beganMs, via: lenient });
    } finally {
      lenient.destroy();
    }
  }

  async function send(request: RelayRequest): Promise<RelayAnswer> {
    try {
      return await trySend(request);
    } catch (error) {
      if (error instanceof RelayFailure && error.code === 'CHECKIN_FIRST') tokens?.onCheckinFirst();
      throw error;
    }
  }

  async function trySend(request: RelayRequest): Promise<RelayAnswer> {
    const nonce = makeNonce();
    const beganMs = clock.monotonicMs();
    try {
      return await once(request, nonce);
    } catch (error) {
      if (!(error instanceof RelayFailure)) throw error;
      if (stale.has(error)) return await once(request, makeNonce());
      if (isDateFault(error) && (await askTime())) return await once(request, makeNonce());
      if (error.kind !== 'clock') throw error;
      if (!(await takeTimeOf(error, { nonce, beganMs, via: agent }))) throw error;
      return await once(request, makeNonce());
    }
  }

  return {
    origin,
    clock: relayClock,
    send,
    takeSignedTime,
    useCheckinTokens(source) {
      tokens = source;
    },
    async sendJson(request, validate) {
      const { body } = await send(request);
      let value: unknown;
      try {
        value = JSON.parse(body.toString('utf8'));
      } catch (cause) {
        throw new RelayFailure({ kind: 'ambiguous', code: 'RELAY_ANSWER_INVALID', detail: 'It is not JSON', cause });
      }
      const valid = validate(value);
      if (valid.ok) return valid.value;
      const detail = `${valid.field} ${valid.detail}`;
      throw new RelayFailure({ kind: 'ambiguous', code: 'RELAY_ANSWER_INVALID', detail });
    },
    close: () => agent.destroy(),
  };
}

const isDateFault = (failure: RelayFailure): boolean =>
  failure.code === 'RELAY_TLS' && isTlsDateCode((failure.cause as { code?: unknown } | undefined)?.code);

function timedOut(kind: 'unsent' | 'ambiguous', timeoutMs: number): RelayFailure {
  return new RelayFailure({ kind, code: 'RELAY_TIMEOUT', detail: `Nothing within ${timeoutMs} ms` });
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming) {
    length += (chunk as Buffer).length;
    if (length > MAX_ANSWER_BYTES) {
      incoming.destroy();
      throw new RelayFailure({ kind: 'ambiguous', code: 'RELAY_ANSWER_INVALID', detail: 'It is too large' });
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks, length);
}
