import { canonicalBytes } from '@sitewarden/agent-proto/canonical';
import { encodeEnvelope, signEnvelope } from '@sitewarden/agent-proto/dsse';
import { type OrderPayload, PAYLOAD_TYPES } from '@sitewarden/agent-proto/http';
import { makeNonce } from '@sitewarden/agent-proto/http-signature';
import { fingerprint, generateEd25519, privateKeyFromPem, sign } from '@sitewarden/agent-proto/keys';
import { newId } from '@sitewarden/kit/ids';
import { loadKeyring } from '../../../relay/keys/index.ts';

const HOUR_MS = 3_600_000;

export interface BadOrder {
  readonly orderId: string;
  readonly kind: string;
  readonly envelope: string;
}

export interface BadOrdersInput {
  /** The relay's: whoever can read its keys makes the best forgeries of all. */
  readonly dataDir: string;
  readonly host: string;
  readonly box: { readonly applianceId: string; readonly epoch: number; readonly maxSeq: number };
  readonly wish: Pick<OrderPayload, 'action' | 'params'>;
  readonly random: () => number;
}

export interface BadOrders {
  /** One that must not be looked at; kinds in turn. */
  next(): BadOrder;
  /** Genuine, but its time is over. */
  expired(): BadOrder;
}

/** Orders as good as an attacker could make them, each wrong in one thing. */
export async function makeBadOrders({ dataDir, host, box, wish, random }: BadOrdersInput): Promise<BadOrders> {
  const keys = await loadKeyring({ dataDir, host });
  const { applianceId, epoch, maxSeq } = box;
  const stranger = generateEd25519();
  const strangerKey = privateKeyFromPem(stranger.privateKeyPem);
  const payload = (): OrderPayload => ({
    ...{ orderId: newId('ord'), applianceId, epoch, seq: maxSeq + 1000, issuedAtMs: Date.now() },
    ...{ expiresAtMs: Date.now() + HOUR_MS, nonce: makeNonce(), requestedBy: 'nobody', approvedBy: null },
    ...wish,
  });
  const byStranger = (order: OrderPayload, keyId: string) => {
    const parts = { payloadType: PAYLOAD_TYPES.order, payload: canonicalBytes(order), keyId };
    return textOf(signEnvelope({ ...parts, sign: (bytes: Uint8Array) => sign(strangerKey, bytes) }));
  };
  const relayKeyId = keyIdOf(keys.sign('order', payload()));
  const kinds: Readonly<Record<string, () => [string, OrderPayload]>> = {
    'signed by a stranger': () => made(payload(), (order) => byStranger(order, fingerprint(stranger.publicKey))),
    "signed by a stranger in the relay's name": () => made(payload(), (order) => byStranger(order, relayKeyId)),
    'for another box': () => made({ ...payload(), applianceId: newId('app') }, (order) => keys.sign('order', order)),
    'for another epoch': () => made({ ...payload(), epoch: epoch + 1 }, (order) => keys.sign('order', order)),
    'with a used number': () =>
      made({ ...payload(), seq: 1 + Math.floor(random() * maxSeq) }, (order) => keys.sign('order', order)),
    'under the key for settings': () => made(payload(), (order) => keys.sign('config', order)),
    'under the key for the time': () => made(payload(), (order) => keys.sign('time', order)),
    'changed after it was signed': () =>
      made(payload(), (order) => changed(keys.sign('order', { ...order, action: 'run_check', params: {} }), order)),
    'with a damaged byte': () => made(payload(), (order) => damaged(keys.sign('order', order), random)),
    'cut off': () => made(payload(), (order) => cutOff(keys.sign('order', order), random)),
  };
  const names = Object.keys(kinds);
  let turn = 0;
  return {
    next() {
      const kind = names[turn++ % names.length] as string;
      const [envelope, { orderId }] = (kinds[kind] as () => [string, OrderPayload])();
      return { kind, orderId, envelope };
    },
    expired() {
      turn += 1;
      const order = {
        ...payload(),
        seq: maxSeq + 1000 + turn,
        issuedAtMs: Date.now() - 2 * HOUR_MS,
        expiresAtMs: Date.now() - HOUR_MS,
      };
      return { kind: 'expired', orderId: order.orderId, envelope: keys.sign('order', order) };
    },
  };
}

const made = (order: OrderPayload, seal: (order: OrderPayload) => string): [string, OrderPayload] => [
  seal(order),
  order,
];

const textOf = (envelope: Parameters<typeof encodeEnvelope>[0]): string =>
  Buffer.from(encodeEnvelope(envelope)).toString('latin1');

interface Wire {
  payload: string;
  signatures: { keyid: string; sig: string }[];
}

const keyIdOf = (envelope: string): string => (JSON.parse(envelope) as Wire).signatures[0]?.keyid as string;

/** Another order under the signature of a harmless one. */
function changed(envelope: string, order: OrderPayload): string {
  const wire = JSON.parse(envelope) as Wire;
  return JSON.stringify({ ...wire, payload: Buffer.from(canonicalBytes(order)).toString('base64') });
}

/** One bit of the signed bytes or of the signature is another. */
function damaged(envelope: string, random: () => number): string {
  const wire = JSON.parse(envelope) as Wire;
  const flip = (text: string): string => {
    const bytes = Buffer.from(text, 'base64');
    const at = Math.floor(random() * bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8));
    return bytes.toString('base64');
  };
  if (random() < 0.5) return JSON.stringify({ ...wire, payload: flip(wire.payload) });
  const [first] = wire.signatures as [Wire['signatures'][number]];
  return JSON.stringify({ ...wire, signatures: [{ ...first, sig: flip(first.sig) }] });
}

/** Never whole: at least one character of it is missing. */
const cutOff = (envelope: string, random: () => number): string =>
  envelope.slice(0, Math.floor(random() * (envelope.length - 1)));
