import { readWakeReason, type WakeReason, wakeTopic } from '@sitewarden/agent-proto/wake';
import type { MqttClient } from 'mqtt';
import type { WakeAccess } from '../lib/wake-access.ts';
import { endOfConnack, endOfError, type WakeEnd } from './schedule.ts';

export interface WakeConnectionOptions {
  readonly access: WakeAccess;
  readonly applianceId: string;
  /** It listens. */
  onUp(): void;
  onWake(why: WakeReason): void;
  /** Once, unless closed from here. */
  onEnd(end: WakeEnd): void;
}

/** Under the minute after which proxies take a silent connection for a dead one. */
const KEEPALIVE_S = 45;
/** From the first packet to the subscription that stands. */
const UP_WITHIN_MS = 20_000;
const CONNECT_MS = 10_000;
/** A wake has 50 bytes and an honest relay sends eight in a second at most. */
const MAX_BYTES_PER_MINUTE = 64 * 1024;
const MAX_MESSAGE_BYTES = 4096;

/** One connection, from CONNECT to its end. Answers how to close it. */
export function openConnection(options: WakeConnectionOptions): () => void {
  const { access, applianceId, onUp, onWake, onEnd } = options;
  const topic = wakeTopic(applianceId);
  const agent = access.makeAgent();
  let client: MqttClient | undefined;
  let lastError: Error | undefined;
  let isOver = false;
  const late = setTimeout(() => over({ kind: 'lost', code: 'WAKE_LOST' }), UP_WITHIN_MS);

  function close(): void {
    isOver = true;
    clearTimeout(late);
    clearInterval(refill);
    client?.end(true);
    agent.destroy();
  }

  function over(end: WakeEnd): void {
    if (isOver) return;
    close();
    onEnd(end);
  }

  let bytes = 0;
  const refill = setInterval(() => {
    bytes = 0;
  }, 60_000);

  /** A parser keeps what it has of a packet until the rest comes: what may come is bounded before it. */
  function count(chunk: Uint8Array): void {
    bytes += chunk.length;
    if (bytes > MAX_BYTES_PER_MINUTE) over({ kind: 'busy', code: 'WAKE_FLOOD' });
  }

  /** The library is loaded by whoever is woken, and by nobody else: it costs megabytes. */
  async function begin(): Promise<void> {
    const { connect } = await import('mqtt');
    if (isOver) return;
    const made = connect(access.url, {
      protocolVersion: 4,
      clean: true,
      clientId: applianceId,
      username: access.username,
      password: access.makePassword(),
      keepalive: KEEPALIVE_S,
      connectTimeout: CONNECT_MS,
      // Each CONNECT is signed anew, so the library must not repeat one.
      reconnectPeriod: 0,
      queueQoSZero: false,
      wsOptions: {
        agent,
        headers: { 'user-agent': access.userAgent },
        handshakeTimeout: CONNECT_MS,
        maxPayload: MAX_MESSAGE_BYTES,
        perMessageDeflate: false,
        followRedirects: false,
      },
    });
    client = made;
    made.stream.on('error', (error: Error) => {
      lastError = error;
    });
    made.stream.on('data', count);
    made.on('error', (error) => {
      const { code } = error as { code?: unknown };
      over(typeof code === 'number' ? endOfConnack(code) : endOfError(error));
    });
    made.on('close', () => over(endOfError(lastError)));
    made.on('message', (named, payload) => {
      if (!isOver && named === topic) onWake(readWakeReason(payload));
    });
    made.on('connect', () => {
      made.subscribe(topic, { qos: 0 }, (error) => {
        if (isOver) return;
        if (error) return over({ kind: 'refused', code: 'WAKE_REFUSED' });
        clearTimeout(late);
        onUp();
      });
    });
  }

  begin().catch(() => over({ kind: 'absent', code: 'WAKE_LOST' }));
  return close;
}
