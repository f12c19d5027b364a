import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WakeReason } from '@sitewarden/agent-proto/wake';
import type { Logger } from '@sitewarden/kit/log';
import type { Registry } from 'prom-client';
import { createWakeBroker, type WakeBroker } from './broker.ts';
import { createWakeMetrics } from './metrics.ts';
import { createPlaces, type PlaceFault } from './places.ts';
import type { ConnectDeps } from './prove-connect.ts';
import { openTlsPort, type TlsPort, type TlsPortConfig } from './tls-port.ts';
import { createWakeSockets } from './websocket.ts';

/** What the rest of the program may ask: none of it throws or is waited for. */
export interface Wakes {
  /** Tells the box of a site, where it is connected to this process, that something waits for it. After the commit. */
  wake(siteId: string, why: WakeReason): void;
  /** Whether connections are taken at all. */
  readonly isOn: boolean;
  /** Takes over an upgrade to WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, address: string): void;
}

export interface WakeService extends Wakes {
  /** Of the port of its own, once it is open; undefined without one. */
  readonly tlsPort: number | undefined;
  open(): Promise<void>;
  close(): Promise<void>;
}

export interface WakeConfig {
  readonly enabled: boolean;
  readonly maxConnections: number;
  readonly tls?: TlsPortConfig | undefined;
}

export interface WakeServiceDeps extends ConnectDeps {
  readonly config: WakeConfig;
  /** New connections of one address in a minute. */
  readonly opensPerMinute: number;
  readonly log: Logger;
  readonly metrics: Registry;
  /** Told of every appliance of which something changed. */
  onChanged(listener: (applianceId: string) => void): () => void;
}

/** A box comes back after an outage of either side; more often than this it is not one box. */
const BOX_OPENS_PER_MINUTE = 30;
const MAX_PENDING = 512;
const MAX_PENDING_PER_ADDRESS = 64;
/** Another process of the same store may have changed what a box may; this one learns of it no later. */
const RECHECK_EVERY_MS = 20_000;

/** The wake-up of boxes. When the broker cannot be made the relay runs without: the next check-in delivers. */
export function createWakeService(deps: WakeServiceDeps): WakeService {
  const { config, log, onChanged } = deps;
  let broker: WakeBroker | undefined;
  let tls: TlsPort | undefined;
  const metrics = createWakeMetrics(deps.metrics, () => broker?.connected() ?? 0);
  const places = createPlaces({
    maxConnections: config.maxConnections,
    maxPending: MAX_PENDING,
    maxPendingPerAddress: MAX_PENDING_PER_ADDRESS,
    opensPerMinute: deps.opensPerMinute,
    boxOpensPerMinute: BOX_OPENS_PER_MINUTE,
  });
  const addresses = new WeakMap<IncomingMessage, string>();
  const undo: (() => void | Promise<void>)[] = [];

  function accept(stream: Duplex, address: string): PlaceFault | undefined {
    if (broker !== undefined) return broker.accept(stream, address);
    stream.on('error', () => {});
    stream.destroy();
    return undefined;
  }
  const sockets = createWakeSockets({
    onStream: (stream, request) => accept(stream, addresses.get(request) ?? ''),
    onRefused: metrics.refused,
  });

  return {
    get isOn() {
      return broker !== undefined;
    },
    get tlsPort() {
      return tls?.port;
    },
    wake(siteId, why) {
      try {
        broker?.wake(siteId, why);
      } catch (error) {
        log.error({ err: error }, 'a wake was not sent');
      }
    },
    upgrade(request, socket, head, address) {
      addresses.set(request, address);
      sockets.upgrade(request, socket, head);
    },
    async open() {
      if (!config.enabled) return;
      try {
        broker = await createWakeBroker({ ...deps, metrics, places });
      } catch (error) {
        log.error({ err: error }, 'the broker of wakes could not be made; orders reach boxes at their check-ins');
        return;
      }
      undo.push(onChanged((applianceId) => broker?.recheck(applianceId)));
      let isLooking = false;
      const timer = setInterval(() => {
        if (isLooking) return;
        isLooking = true;
        broker
          ?.recheckAll()
          .catch((error: unknown) => log.error({ err: error }, 'the connections for wakes were not looked at'))
          .finally(() => {
            isLooking = false;
          });
      }, RECHECK_EVERY_MS);
      timer.unref();
      undo.push(() => clearInterval(timer));
      if (config.tls === undefined) return;
      const { maxConnections } = config;
      const opened = await openTlsPort(config.tls, { maxConnections, log, onStream: accept });
      tls = opened;
      undo.push(() => opened.close());
    },
    async close() {
      sockets.close();
      const closing = broker;
      broker = undefined;
      await closing?.close();
      for (const step of undo.splice(0).reverse()) await step();
    },
  };
}
