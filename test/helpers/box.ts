import { type KeyObject, randomBytes } from 'node:crypto';
import {
  BOX_PATHS,
  type BoxKeys,
  nonceCommitment,
  type ProvisionAnswer,
  type ProvisionStartResponse,
} from '@sitewarden/agent-proto/http';
import { makeNonce, signRequest } from '@sitewarden/agent-proto/http-signature';
import { fingerprint, generateEd25519, privateKeyFromPem, rawPublicKey } from '@sitewarden/agent-proto/keys';
import nacl from 'tweetnacl';
import { loadX509 } from '../../relay/lib/x509.ts';

export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

let csr: Promise<string> | undefined;

/** One site CA request for all boxes of a test run: making one is slow and the relay only checks it. */
export function siteCaCsr(): Promise<string> {
  csr ??= (async () => {
    const { Pkcs10CertificateRequestGenerator } = await loadX509();
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const request = await Pkcs10CertificateRequestGenerator.create({
      name: 'CN=Sitewarden site CA',
      keys,
      signingAlgorithm: algorithm,
    });
    return request.toString('pem');
  })();
  return csr;
}

export interface SendOptions {
  readonly method?: string;
  readonly body?: unknown;
  readonly raw?: Uint8Array | string;
  readonly contentType?: string;
  readonly createdS?: number;
  readonly nonce?: string;
  /** Instead of the token of the last check-in, where the route asks for one; null: none. */
  readonly checkinToken?: string | null;
  /** Signs instead of the box's own device key. */
  readonly as?: KeyObject;
  /** Changes the headers after signing. */
  readonly tamper?: (headers: Record<string, string>) => void;
}

const TOKEN_ASKED: ReadonlySet<string> = new Set([
  BOX_PATHS.orders,
  BOX_PATHS.config,
  BOX_PATHS.release,
  BOX_PATHS.released,
  BOX_PATHS.keys,
]);

/** A box as the wire sees it: three keys, signed requests and the token of its last check-in. */
export class TestBox {
  readonly keys: BoxKeys;
  readonly fingerprint: string;
  readonly serial: string;
  readonly boxNonce = makeNonce();
  readonly dikPrivate: KeyObject;
  readonly evkPrivate: KeyObject;
  /** Private half of `keys.seal`. */
  readonly sealSecret: Uint8Array;
  /** Of the last answer to a check-in. */
  checkinToken: string | null = null;
  readonly #relayUrl: string;

  private constructor(relayUrl: string, siteCaCsrPem: string, serial: string) {
    const dik = generateEd25519();
    const evk = generateEd25519();
    this.#relayUrl = relayUrl;
    this.serial = serial;
    this.dikPrivate = privateKeyFromPem(dik.privateKeyPem);
    this.evkPrivate = privateKeyFromPem(evk.privateKeyPem);
    const seal = nacl.box.keyPair();
    this.sealSecret = seal.secretKey;
    this.keys = {
      dik: dik.publicKey,
      evk: evk.publicKey,
      seal: Buffer.from(seal.publicKey).toString('base64url'),
      siteCaCsr: siteCaCsrPem,
    };
    this.fingerprint = fingerprint(dik.publicKey);
  }

  static async make(relayUrl: string, serial = `SN${randomBytes(4).toString('hex')}`): Promise<TestBox> {
    return new TestBox(relayUrl, await siteCaCsr(), serial);
  }

  facts() {
    return {
      keys: this.keys,
      serial: this.serial,
      model: 'Test box',
      softwareVersion: '0.1.0',
      imageDigest: 'unpackaged',
    };
  }

  async send<T = Record<string, unknown>>(path: string, options: SendOptions = {}): Promise<Answer<T>> {
    const { body, contentType = 'application/json', createdS = Math.floor(Date.now() / 1000), tamper } = options;
    const url = `${this.#relayUrl}${path}`;
    const key = options.as ?? this.dikPrivate;
    const raw = options.raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const method = options.method ?? (raw === undefined ? 'GET' : 'POST');
    const { checkinToken = TOKEN_ASKED.has(path) ? this.checkinToken : null } = options;
    const headers: Record<string, string> = {
      ...signRequest({
        checkinToken: checkinToken ?? undefined,
        method,
        url,
        body: raw,
        keyId: fingerprint(rawPublicKey(key)),
        privateKey: key,
        createdS,
        nonce: options.nonce ?? makeNonce(),
      }),
      ...(raw === undefined ? {} : { 'content-type': contentType }),
    };
    tamper?.(headers);
    const response = await fetch(url, { method, headers, ...(raw === undefined ? {} : { body: raw as string }) });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    const answer = {
      status: response.status,
      headers: response.headers,
      body: (isJson ? JSON.parse(text) : text) as T,
    };
    if (path === BOX_PATHS.checkin && answer.status === 200) {
      this.checkinToken = (answer.body as { token: string }).token;
    }
    return answer;
  }

  /** Opens a session in which the box shows the code. */
  async start(): Promise<Answer<ProvisionStartResponse>> {
    return this.send<ProvisionStartResponse>(BOX_PATHS.provisionStart, {
      body: { ...this.facts(), commitment: nonceCommitment(this.boxNonce) },
    });
  }

  async status(session: string): Promise<Answer<ProvisionAnswer>> {
    return this.send<ProvisionAnswer>(BOX_PATHS.provisionStatus, { body: { session, boxNonce: this.boxNonce } });
  }

  async presentQr(secret: string): Promise<Answer<ProvisionAnswer>> {
    return this.#present({ form: 'qr', secret });
  }

  /** `typed` as a person reads it: BCDF-GHJKL-MNPQR. */
  async presentTyped(typed: string): Promise<Answer<ProvisionAnswer>> {
    const [locator = '', ...rest] = typed.split('-');
    return this.#present({ form: 'typed', locator, secret: rest.join('') });
  }

  async #present(code: object): Promise<Answer<ProvisionAnswer>> {
    return this.send<ProvisionAnswer>(BOX_PATHS.provisionClaim, {
      body: { ...this.facts(), boxNonce: this.boxNonce, code },
    });
  }

  async ack(session: string, applianceId: string): Promise<Answer> {
    return this.send(BOX_PATHS.provisionAck, { body: { session, applianceId, configGeneration: 1 } });
  }
}

/** The secret a QR code ends with, and the fingerprint behind it when there is one. */
export function readQr(url: string): { secret: string; fingerprint: string } {
  const [, secret = '', fingerprintText = ''] = url.split('#')[1]?.split('.') ?? [];
  return { secret, fingerprint: fingerprintText };
}
