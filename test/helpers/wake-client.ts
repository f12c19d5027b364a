import { makeNonce } from '@sitewarden/agent-proto/http-signature';
import { wakePassword, wakeSigner, wakeTopic } from '@sitewarden/agent-proto/wake';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import type { TestBox } from './box.ts';

export interface WakeClient {
  readonly mqtt: MqttClient;
  /** Payloads in their order. */
  readonly heard: string[];
  /** Resolves with the next payload that is not yet taken. */
  next(): Promise<string>;
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** What a box says in CONNECT. */
export function connectOptions(
  box: TestBox,
  {
    origin,
    applianceId,
    createdS = Math.floor(Date.now() / 1000),
  }: { origin: string; applianceId: string; createdS?: number },
): IClientOptions {
  return {
    protocolVersion: 4,
    clean: true,
    keepalive: 45,
    reconnectPeriod: 0,
    connectTimeout: 5000,
    clientId: applianceId,
    username: box.fingerprint,
    password: wakePassword(wakeSigner(box.fingerprint, box.dikPrivate), { origin, createdS, nonce: makeNonce() }),
  };
}

/** Resolves once the broker took CONNECT; rejects with its return code as `code`, or with how the connection ended. */
export async function connectWake(url: string, options: IClientOptions): Promise<WakeClient> {
  const client = mqtt.connect(url, options);
  const heard: string[] = [];
  const waiting: ((payload: string) => void)[] = [];
  client.on('message', (_topic, payload) => {
    const text = payload.toString();
    const waiter = waiting.shift();
    if (waiter === undefined) heard.push(text);
    else waiter(text);
  });
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('error', reject);
    client.once('close', () => reject(new Error('closed')));
  }).catch((error: unknown) => {
    client.end(true);
    throw error;
  });
  client.on('error', () => {});
  return {
    mqtt: client,
    heard,
    next: () => {
      const ready = heard.shift();
      return ready === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(ready);
    },
    closed,
    close: () => client.endAsync(true),
  };
}

/** The QoS granted for its own topic, or for another one; 128 is a refusal. */
export async function subscribeWake(client: WakeClient, topic: string, qos: 0 | 1 = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    client.mqtt.subscribe(topic, { qos }, (error, _granted, packet) => {
      const code = (packet as { granted?: number[] } | undefined)?.granted?.[0];
      if (code !== undefined) resolve(code);
      else reject(error ?? new Error('no answer'));
    });
  });
}

export { wakeTopic };
