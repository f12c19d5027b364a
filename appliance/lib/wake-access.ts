import { type ClientRequestArgs, Agent as HttpAgent } from 'node:http';
import type { Duplex } from 'node:stream';
import { makeNonce } from '@sitewarden/agent-proto/http-signature';
import { WAKE_PATH, type WakeSigner, wakePassword } from '@sitewarden/agent-proto/wake';
import { type OutboundProxy, openTunnel } from './proxy.ts';
import type { RelayClock } from './relay-clock.ts';
import { TimedAgent } from './tls-at-time.ts';

/** How a connection for wakes reaches the relay and says who it is, by the same rules as every other call. */
export interface WakeAccess {
  /** ws: or wss: of the relay's own origin. */
  readonly url: string;
  /** The fingerprint of the device key. */
  readonly username: string;
  /** Made for one CONNECT, dated by the clock of the box. */
  makePassword(): string;
  /** For one connection: the pinned CA, the relay's time and the way out as for every request. */
  makeAgent(): HttpAgent;
  readonly userAgent: string;
}

export interface WakeAccessOptions {
  readonly url: string;
  readonly ca?: string | undefined;
  readonly proxy?: OutboundProxy | undefined;
  readonly relayClock: Pick<RelayClock, 'nowMs' | 'trustedNowMs'>;
  readonly dikFingerprint: string;
  readonly sign: WakeSigner;
  readonly userAgent: string;
}

const TUNNEL_MS = 10_000;

/** Plain HTTP is for loopback, yet a proxy that is named is used: by a tunnel, for nothing else passes an upgrade on. */
class TunnelAgent extends HttpAgent {
  readonly #proxy: OutboundProxy;

  constructor(proxy: OutboundProxy) {
    super({ keepAlive: false });
    this.#proxy = proxy;
  }

  override createConnection(
    request: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    openTunnel(this.#proxy, { host: String(request.host), port: Number(request.port), timeoutMs: TUNNEL_MS }).then(
      (socket) => callback?.(null, socket),
      (error: Error) => callback?.(error, undefined as unknown as Duplex),
    );
    return undefined;
  }
}

export function createWakeAccess(options: WakeAccessOptions): WakeAccess {
  const { ca, proxy, relayClock, sign, dikFingerprint, userAgent } = options;
  const { origin } = new URL(options.url);
  return {
    url: `${origin.replace(/^http/, 'ws')}${WAKE_PATH}`,
    username: dikFingerprint,
    userAgent,
    makePassword: () =>
      wakePassword(sign, { origin, createdS: Math.floor(relayClock.nowMs() / 1000), nonce: makeNonce() }),
    makeAgent() {
      if (origin.startsWith('https:'))
        return new TimedAgent({ ca, proxy, maxSockets: 1, trustedNowMs: relayClock.trustedNowMs });
      return proxy === undefined ? new HttpAgent({ keepAlive: false }) : new TunnelAgent(proxy);
    },
  };
}
