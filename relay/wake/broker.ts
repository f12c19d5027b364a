import type { Duplex } from 'node:stream';
import { WAKE_LIMITS, type WakeReason, wakeTopic } from '@sitewarden/agent-proto/wake';
import { isCodedError } from '@sitewarden/kit/errors';
import type { Logger } from '@sitewarden/kit/log';
import { Aedes, type AuthenticateError, type Client } from 'aedes';
import { relayErrors } from '../errors.ts';
import { createWakePace, type WakeConnection, wakePacket } from './connection.ts';
import { gateStream } from './gated-stream.ts';
import type { WakeMetrics } from './metrics.ts';
import { createPacketGate } from './packet-gate.ts';
import type { PlaceFault, Places } from './places.ts';
import { type ConnectDeps, connackOf, connectFault, proveConnect } from './prove-connect.ts';

export interface BrokerDeps extends ConnectDeps {
  readonly log: Logger;
  readonly metrics: WakeMetrics;
  readonly places: Places;
  /** Default: the contract's. */
  readonly connectWithinMs?: number;
}

export interface WakeBroker {
  /** Takes over a connection, or destroys it and says why. `address` is where it comes from, as proxies are trusted. */
  accept(stream: Duplex, address: string): PlaceFault | undefined;
  /** Tells the connected box of a site; does nothing when there is none. Never throws, nothing waits for it. */
  wake(siteId: string, why: WakeReason): void;
  /** What is known about an appliance changed: its connection ends unless it is still welcome. */
  recheck(applianceId: string): void;
  /** The same for all of them, a few at a time. */
  recheckAll(): Promise<void>;
  connected(): number;
  close(): Promise<void>;
}

/** A client that takes nothing for so long is cut. */
const DRAIN_MS = 5000;
const RECHECKS_AT_ONCE = 100;

/** An MQTT broker that only ever says "wake up": what clients may do is subscribe to their own topic and stay connected. */
export async function createWakeBroker(deps: BrokerDeps): Promise<WakeBroker> {
  const { boxes, clock, log, metrics, places, connectWithinMs = WAKE_LIMITS.connectWithinMs } = deps;
  const connections = new WeakMap<Duplex, WakeConnection>();
  const open = new Set<WakeConnection>();
  const byAppliance = new Map<string, WakeConnection>();
  const bySite = new Map<string, Set<WakeConnection>>();
  const of = (client: Client): WakeConnection | undefined => connections.get(client.conn as Duplex);

  const broker = await Aedes.createBroker({
    connectTimeout: connectWithinMs,
    drainTimeout: DRAIN_MS,
    queueLimit: 4,
    maxInflightInbound: 1,
    maxTopicLevels: 16,
    preConnect(client, packet, done) {
      const connection = of(client);
      if (connection !== undefined) connection.fault = connectFault(packet, WAKE_LIMITS);
      done(null, connection !== undefined);
    },
    authenticate(client, username, password, done) {
      admit(client, { username, password }).then(
        () => done(null, true),
        (error: unknown) => {
          const { code, returnCode } = connackOf(error);
          const why = of(client)?.fault ?? code;
          metrics.refused(why);
          log.debug({ code: why }, 'a connection for wakes was refused');
          if (code === 'INTERNAL') log.error({ err: error }, 'a connection for wakes could not be judged');
          done(Object.assign(new Error(why), { returnCode }) as AuthenticateError, false);
        },
      );
    },
    authorizeSubscribe(client, subscription, done) {
      const box = of(client)?.box;
      const isOwn = box !== undefined && subscription.topic === wakeTopic(box.applianceId) && subscription.qos === 0;
      if (!isOwn) metrics.refused('TOPIC_REFUSED');
      done(null, isOwn ? subscription : null);
    },
    // The gate lets no PUBLISH through; this holds should it ever.
    authorizePublish: (_client, _packet, done) => done(new Error('nobody publishes here')),
    authorizeForward: (client, packet) => {
      const box = of(client)?.box;
      return box !== undefined && packet.topic === wakeTopic(box.applianceId) ? packet : null;
    },
  });
  broker.on('subscribe', (subscriptions, client) => {
    const connection = of(client);
    const { box } = connection ?? {};
    if (connection === undefined || box === undefined || connection.pace !== undefined) return;
    if (!subscriptions.some(({ topic }) => topic === wakeTopic(box.applianceId))) return;
    connection.pace = createWakePace((why) => {
      metrics.sent(why);
      client.publish(wakePacket(box.applianceId, why), () => {});
    });
  });
  broker.on('unsubscribe', (_topics, client) => {
    const connection = of(client);
    connection?.pace?.stop();
    if (connection !== undefined) connection.pace = undefined;
  });
  broker.on('keepaliveTimeout', () => metrics.refused('SILENT'));
  broker.on('clientError', (_client, error) => log.debug({ err: error }, 'a connection for wakes ended'));
  broker.on('connectionError', (_client, error) => log.debug({ err: error }, 'a connection for wakes ended'));
  (broker as NodeJS.EventEmitter).on('error', (error) => log.error({ err: error }, 'the broker of wakes failed'));

  async function admit(
    client: Client,
    { username, password }: { username: string | undefined; password: Buffer | undefined },
  ): Promise<void> {
    const connection = of(client);
    if (connection === undefined || connection.fault !== undefined) throw relayErrors.make('BODY_INVALID');
    const box = await proveConnect(deps, { clientId: client.id, username, password });
    if (connection.stream.destroyed) throw relayErrors.make('OVERLOADED');
    if (!places.mayReturn(box.applianceId, clock.monotonicMs())) throw relayErrors.make('RATE_LIMITED');
    // The newest connection of a box is the one that works; an older one may be half open for minutes.
    const older = byAppliance.get(box.applianceId);
    if (older !== undefined) cut(older, 'REPLACED');
    connection.box = box;
    connection.place.prove();
    byAppliance.set(box.applianceId, connection);
    bySite.set(box.siteId, (bySite.get(box.siteId) ?? new Set()).add(connection));
  }

  function forget(connection: WakeConnection): void {
    connection.place.leave();
    connection.pace?.stop();
    open.delete(connection);
    const { box } = connection;
    if (box === undefined) return;
    if (byAppliance.get(box.applianceId) === connection) byAppliance.delete(box.applianceId);
    const ofSite = bySite.get(box.siteId);
    ofSite?.delete(connection);
    if (ofSite?.size === 0) bySite.delete(box.siteId);
  }

  function cut(connection: WakeConnection, code: string): void {
    metrics.refused(code);
    forget(connection);
    connection.stream.destroy();
  }

  async function judge(connection: WakeConnection): Promise<void> {
    const { box } = connection;
    if (box === undefined) return;
    try {
      const now = await boxes.find(box.fingerprint, clock.nowMs());
      if (now.standing.is !== 'current') cut(connection, 'DIK_RETIRED');
      else if (now.box.state !== 'active') cut(connection, 'APPLIANCE_QUARANTINED');
      else if (now.box.applianceId !== box.applianceId || now.box.epoch !== box.epoch) cut(connection, 'BOX_CHANGED');
    } catch (error) {
      // A store that is away says nothing about the box; it is looked at again.
      if (isCodedError(error) && (error.status === 401 || error.status === 403)) cut(connection, error.code);
    }
  }

  return {
    accept(inner, address) {
      const place = places.take(address, clock.monotonicMs());
      if (typeof place === 'string') {
        metrics.refused(place);
        inner.on('error', () => {});
        inner.destroy();
        return place;
      }
      const gate = createPacketGate(WAKE_LIMITS);
      const stream = gateStream(inner, { gate, nowMs: clock.monotonicMs, onFault: metrics.refused });
      const connection: WakeConnection = {
        stream,
        place,
        fault: undefined,
        box: undefined,
        pace: undefined,
      };
      connections.set(stream, connection);
      open.add(connection);
      // The broker's own clock stops at CONNECT; this one at a CONNECT that verified.
      const late = setTimeout(() => {
        if (connection.box === undefined) cut(connection, 'CONNECT_LATE');
      }, connectWithinMs).unref();
      stream.on('error', () => {});
      stream.once('close', () => {
        clearTimeout(late);
        forget(connection);
      });
      broker.handle(stream);
      return undefined;
    },
    wake(siteId, why) {
      for (const { pace } of bySite.get(siteId) ?? []) pace?.wake(why);
    },
    recheck(applianceId) {
      const connection = byAppliance.get(applianceId);
      if (connection !== undefined) void judge(connection);
    },
    async recheckAll() {
      const all = [...byAppliance.values()];
      for (let at = 0; at < all.length; at += RECHECKS_AT_ONCE) {
        await Promise.all(all.slice(at, at + RECHECKS_AT_ONCE).map(judge));
      }
    },
    connected: () => byAppliance.size,
    async close() {
      for (const connection of [...open]) {
        forget(connection);
        connection.stream.destroy();
      }
      await new Promise<void>((resolve) => broker.close(resolve));
    },
  };
}
