import type { KeyObject } from 'node:crypto';
import { type SignedHeaders, signRequest } from '../http-signature/index.ts';

/** Where MQTT is spoken over WebSocket, and the target of the signature of every CONNECT, over WebSocket or not. */
export const WAKE_PATH = '/mqtt';
export const WAKE_METHOD = 'GET';
export const WAKE_SUBPROTOCOL = 'mqtt';

const MAX_PASSWORD_BYTES = 1024;
const MEMBERS = ['content-digest', 'signature-input', 'signature'] as const;

/** Signs as the request of CONNECT: GET of WAKE_PATH at the relay's origin, without a body. */
export type WakeSigner = (request: {
  method: string;
  url: string;
  body: '';
  createdS: number;
  nonce: string;
}) => SignedHeaders;

/** The password of CONNECT: the three signature headers as a JSON object. `origin` is that of the relay's public URL. */
export function wakePassword(
  sign: WakeSigner,
  { origin, createdS, nonce }: { origin: string; createdS: number; nonce: string },
): string {
  const headers = sign({ method: WAKE_METHOD, url: origin + WAKE_PATH, body: '', createdS, nonce });
  return JSON.stringify(Object.fromEntries(MEMBERS.map((name) => [name, headers[name]])));
}

/** The same with a key at hand. */
export const wakeSigner =
  (keyId: string, privateKey: KeyObject): WakeSigner =>
  (request) =>
    signRequest({ ...request, keyId, privateKey });

/** The headers inside a password; undefined when it is anything else than exactly those three texts. Never throws. */
export function readWakePassword(password: Uint8Array): SignedHeaders | undefined {
  if (password.byteLength > MAX_PASSWORD_BYTES) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(password).toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const isWhole = MEMBERS.every((name) => typeof (value as Record<string, unknown>)[name] === 'string');
  return isWhole && Object.keys(value).length === MEMBERS.length ? (value as SignedHeaders) : undefined;
}
