import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { canonicalBytes } from '@sitewarden/agent-proto/canonical';
import { encodeEnvelope, signEnvelope } from '@sitewarden/agent-proto/dsse';
import {
  BOX_ERRORS,
  BOX_PATHS,
  type BoxErrorCode,
  CheckinRequest,
  compile,
  type OrderPayload,
  OutboxHeader,
  PAYLOAD_TYPES,
  RELAY_KEY_PURPOSES,
  type RelayKeyPurpose,
  type RelayKeys,
  type SiteConfig,
} from '@sitewarden/agent-proto/http';
import { parseSignature, verifyRequest } from '@sitewarden/agent-proto/http-signature';
import { fingerprint, generateEd25519, privateKeyFromPem, publicKeyFromRaw, sign } from '@sitewarden/agent-proto/keys';
import { emptyRoot, verifyConsistency } from '@sitewarden/agent-proto/merkle';
import { cosign, parseAddCheckpoint, verifierOf, verifyCheckpoint } from '@sitewarden/agent-proto/note';
import { newId } from '@sitewarden/kit/ids';
import type { Test } from 'tap';

export interface Seen {
  readonly path: string;
  readonly body: Buffer;
  readonly nonce: string;
  readonly headers: IncomingMessage['headers'];
}

/** What a route answers: JSON, text, an error of the contract, or nothing at all (the socket is cut). */
export type Answer =
  | { readonly json: unknown; readonly status?: number }
  | { readonly text: string }
  | { readonly error: BoxErrorCode; readonly data?: Record<string, unknown>; readonly headers?: Record<string, string> }
  | 'cut';

export type Handler = (request: Seen) => Answer | Promise<Answer>;

export interface SmallRelay {
  readonly url: string;
  readonly host: string;
  readonly rootKey: string;
  readonly keys: RelayKeys;
  readonly keysEnvelope: string;
  /** Every working key is another one from here on, as after next, switch and retire. */
  replaceKeys(): void;
  readonly seen: Seen[];
  /** Bodies seen on a path. */
  on(path: string): Seen[];
  /** Asked before the route; what it does not answer the route does. */
  override: Map<string, (request: Seen) => Answer | undefined | Promise<Answer | undefined>>;
  /** As many check-ins of another machine that has this box's chain. */
  advanceChain(times: number): void;
  /** Staff released a quarantine: any token continues the chain, and nothing else is given before. */
  isChainOpen: boolean;
  /** Wall time of the relay. */
  nowMs(): number;
  box: { dik: string; evk: string; applianceId: string; epoch: number };
  lanes: Map<string, string[]>;
  orders: string[];
  config: { generation: number; envelope: string } | undefined;
  cosigned: { size: number; root: Uint8Array };
  envelope(purpose: RelayKeyPurpose | 'root', payloadType: string, payload: object): string;
  siteConfig(change?: Partial<SiteConfig>): string;
  order(change: Partial<OrderPayload> & Pick<OrderPayload, 'seq'>): string;
  close(): Promise<void>;
}

const errorAnswer = (error: BoxErrorCode, data?: Record<string, unknown>): Answer =>
  data === undefined ? { error } : { error, data };

export interface RelayOptions {
  /** Its clock minus the box's. */
  readonly clockOffsetMs?: number;
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca: string };
}

/** A relay of a few dozen lines that keeps the contract: signed requests, token chain, lanes, witness. */
export async function startSmallRelay(t: Test, options: RelayOptions = {}): Promise<SmallRelay> {
  const { clockOffsetMs = 0 } = options;
  const pair = () => {
    const { publicKey, privateKeyPem } = generateEd25519();
    return { publicKey, keyId: fingerprint(publicKey), privateKey: privateKeyFromPem(privateKeyPem) };
  };
  const root = pair();
  const makeWorking = () =>
    Object.fromEntries(RELAY_KEY_PURPOSES.map((purpose) => [purpose, pair()])) as Record<
      RelayKeyPurpose,
      ReturnType<typeof pair>
    >;
  let working = makeWorking();
  const nowMs = () => Date.now() + clockOffsetMs;
  const validateHeader = compile(OutboxHeader);
  const validateCheckin = compile(CheckinRequest);
  let chain: { token: string; previousToken: string | null; body: string } | undefined;
  let tokens = 0;

  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    serve(request, response).catch((error: unknown) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  };
  const server = options.tls === undefined ? createServer(onRequest) : createTlsServer(options.tls, onRequest);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;

  const envelope: SmallRelay['envelope'] = (purpose, payloadType, payload) => {
    const { keyId, privateKey } = purpose === 'root' ? root : working[purpose];
    const signed = signEnvelope({
      payloadType,
      payload: canonicalBytes(payload),
      keyId,
      sign: (bytes: Uint8Array): Uint8Array => sign(privateKey, bytes),
    });
    return Buffer.from(encodeEnvelope(signed)).toString('latin1');
  };
  const publish = (generation: number) => {
    const lists = Object.fromEntries(
      RELAY_KEY_PURPOSES.map((purpose) => {
        const { keyId, publicKey } = working[purpose];
        return [purpose, [{ keyId, publicKey }]];
      }),
    ) as Pick<RelayKeys, RelayKeyPurpose>;
    const keys: RelayKeys = { host, generation, issuedAtMs: 1, ...lists };
    return { keys, keysEnvelope: envelope('root', PAYLOAD_TYPES.relayKeys, keys) };
  };

  const relay: SmallRelay = {
    url: `${options.tls === undefined ? 'http' : 'https'}://${host}`,
    host,
    rootKey: root.publicKey,
    ...publish(1),
    replaceKeys() {
      working = makeWorking();
      Object.assign(relay, publish(relay.keys.generation + 1));
    },
    seen: [],
    on: (path) => relay.seen.filter((one) => one.path === path),
    override: new Map(),
    advanceChain(times) {
      for (let time = 0; time < times; time += 1) carryOn(chain?.token ?? null, '');
    },
    isChainOpen: false,
    nowMs,
    box: { dik: '', evk: '', applianceId: newId('app'), epoch: 1 },
    lanes: new Map(),
    orders: [],
    config: undefined,
    cosigned: { size: 0, root: emptyRoot() },
    envelope,
    siteConfig: (change = {}) =>
      envelope('config', PAYLOAD_TYPES.siteConfig, {
        applianceId: relay.box.applianceId,
        siteId: SITE_ID,
        siteName: 'Praxis',
        epoch: relay.box.epoch,
        generation: 1,
        dikFingerprint: relay.box.dik === '' ? root.keyId : fingerprint(relay.box.dik),
        agentTier: 0,
        agentTiers: {},
        checks: ['services'],
        requiredServices: [],
        checkIntervalMs: 60_000,
        heartbeatIntervalMs: 60_000,
        issuedAtMs: nowMs(),
        ...change,
      } satisfies SiteConfig),
    order: (change) =>
      envelope('order', PAYLOAD_TYPES.order, {
        orderId: newId('ord'),
        applianceId: relay.box.applianceId,
        epoch: relay.box.epoch,
        issuedAtMs: nowMs(),
        expiresAtMs: nowMs() + 60_000,
        nonce: 'A'.repeat(22),
        action: 'run_check',
        params: {},
        requestedBy: 'Ada',
        approvedBy: null,
        ...change,
      } satisfies OrderPayload),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  t.teardown(() => relay.close());

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const path = request.url ?? '/';
    const verdict = check(request, path, body);
    const nonce = verdict.nonce;
    const { headers } = request;
    relay.seen.push({ path, body, nonce, headers });
    const seen = { path, body, nonce, headers };
    const answer =
      verdict.refusal ??
      (await relay.override.get(path)?.(seen)) ??
      (await ROUTES[path]?.(seen)) ??
      errorAnswer('NOT_FOUND');
    write(response, answer);
  }

  function check(request: IncomingMessage, path: string, body: Buffer): { nonce: string; refusal?: Answer } {
    const parsed = parseSignature(request.headers as Record<string, string>);
    if (!parsed.ok) return { nonce: '', refusal: errorAnswer('SIGNATURE_MALFORMED') };
    const { nonce } = parsed;
    // A box that is not known yet is known by what its body says.
    const said = path.startsWith('/api/provision') ? (JSON.parse(body.toString()).keys?.dik as string) : undefined;
    if (said) relay.box.dik = said;
    if (path === BOX_PATHS.relayKeys) return { nonce };
    if (fingerprint(relay.box.dik) !== parsed.keyId) return { nonce, refusal: errorAnswer('APPLIANCE_UNKNOWN') };
    const parts = {
      method: request.method!,
      authority: request.headers.host!,
      path,
      query: '',
      headers: request.headers as Record<string, string>,
      body,
    };
    const verdict = verifyRequest(parts, publicKeyFromRaw(relay.box.dik), { nowS: nowMs() / 1000, maxSkewS: 300 });
    if (verdict.ok) {
      const isStale =
        relay.isChainOpen ||
        (chain !== undefined && ![chain.token, chain.previousToken].includes(verdict.checkinToken));
      return isStale && TOKEN_ASKED.has(path) ? { nonce, refusal: errorAnswer('CHECKIN_FIRST') } : { nonce };
    }
    if (verdict.code !== 'CLOCK_SKEW') return { nonce, refusal: errorAnswer(verdict.code) };
    const signedTime = envelope('time', PAYLOAD_TYPES.time, { timeMs: nowMs(), nonce });
    return { nonce, refusal: errorAnswer('CLOCK_SKEW', { timeMs: nowMs(), signedTime }) };
  }

  function write(response: ServerResponse, answer: Answer): void {
    if (answer === 'cut') {
      response.destroy();
      return;
    }
    if ('text' in answer) {
      response.setHeader('content-type', 'text/plain');
      response.end(answer.text);
      return;
    }
    response.setHeader('content-type', 'application/json');
    if ('json' in answer) {
      response.statusCode = answer.status ?? 200;
      response.end(JSON.stringify(answer.json));
      return;
    }
    const { status, message } = BOX_ERRORS[answer.error];
    response.statusCode = status;
    for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
    response.end(JSON.stringify({ code: answer.error, message, ...(answer.data ? { data: answer.data } : {}) }));
  }

  function carryOn(previousToken: string | null, body: string): void {
    tokens += 1;
    relay.isChainOpen = false;
    chain = { token: `${'T'.repeat(16)}${String(tokens).padStart(6, '0')}`, previousToken, body };
  }

  function checkin({ body }: Seen): Answer {
    const value = JSON.parse(body.toString()) as CheckinRequest;
    const valid = validateCheckin(value);
    if (!valid.ok) return errorAnswer('BODY_INVALID', { field: valid.field });
    const text = body.toString();
    const isNext = chain === undefined || relay.isChainOpen || value.previousToken === chain.token;
    const isRepeat = !isNext && value.previousToken === chain?.previousToken && text === chain?.body;
    if (isNext) carryOn(value.previousToken, text);
    const time = value.timeNonce;
    return {
      json: {
        token: chain!.token,
        state: isNext || isRepeat ? 'active' : 'quarantined',
        timeMs: nowMs(),
        signedTime: time === null ? null : envelope('time', PAYLOAD_TYPES.time, { timeMs: nowMs(), nonce: time }),
        configGeneration: relay.config?.generation ?? 0,
        pendingOrders: relay.orders.length,
        drainRowsPerS: 2000,
        nextCheckinMs: 60_000,
      },
    };
  }

  function outbox({ body }: Seen): Answer {
    const lines = body.toString().split('\n');
    const header = JSON.parse(lines[0]!) as OutboxHeader;
    const valid = validateHeader(header);
    if (!valid.ok) return errorAnswer('BODY_INVALID', { field: valid.field });
    if (lines.length !== header.count + 2 || lines.at(-1) !== '') return errorAnswer('BODY_INVALID');
    const rows = relay.lanes.get(header.lane) ?? [];
    relay.lanes.set(header.lane, rows);
    if (header.absent?.fromSeq === rows.length + 1) {
      while (rows.length < header.firstSeq - 1) rows.push('absent');
    }
    if (header.firstSeq > rows.length + 1) return errorAnswer('OUTBOX_GAP', { expectedSeq: rows.length + 1 });
    const fresh = lines.slice(1, -1).slice(rows.length + 1 - header.firstSeq);
    rows.push(...fresh);
    return { json: { ackedThrough: rows.length, newRows: fresh.length } };
  }

  function checkpoint({ body }: Seen): Answer {
    const { oldSize, proof, checkpoint: note } = parseAddCheckpoint(body);
    const name = `${host}/a/${relay.box.applianceId}/${relay.box.epoch}`;
    const { size, rootHash } = verifyCheckpoint(note, [verifierOf({ name, publicKey: relay.box.evk })]);
    if (oldSize !== relay.cosigned.size) return errorAnswer('CHECKPOINT_CONFLICT', { size: relay.cosigned.size });
    const claim = { oldSize, oldRoot: relay.cosigned.root, newSize: size, newRoot: rootHash, proof };
    if (!verifyConsistency(claim)) return errorAnswer('CHECKPOINT_PROOF');
    relay.cosigned = { size, root: rootHash };
    const signer = { name: `${host}/witness`, privateKey: working.witness.privateKey };
    return { text: cosign(note, { ...signer, timestampS: Math.floor(nowMs() / 1000) }) };
  }

  const ROUTES: Record<string, Handler> = {
    [BOX_PATHS.checkin]: checkin,
    [BOX_PATHS.outbox]: outbox,
    [BOX_PATHS.checkpoint]: checkpoint,
    [BOX_PATHS.orders]: () => ({ json: { orders: relay.orders } }),
    [BOX_PATHS.relayKeys]: () => ({ json: { relayKeys: relay.keysEnvelope } }),
    [BOX_PATHS.config]: () => ({ json: { config: relay.config?.envelope ?? '', relayKeys: relay.keysEnvelope } }),
  };
  return relay;
}

const TOKEN_ASKED: ReadonlySet<string> = new Set([BOX_PATHS.orders, BOX_PATHS.config]);

export const SITE_ID = newId('site');
