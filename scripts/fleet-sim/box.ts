import { type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import { decodeEnvelope } from '@sitewarden/agent-proto/dsse';
import { logOrigin } from '@sitewarden/agent-proto/evidence';
import {
  BOX_PATHS,
  type BoxKeys,
  type Lane,
  type ProvisionAnswer,
  type ProvisionClaimRequest,
  type ProvisionGrant,
} from '@sitewarden/agent-proto/http';
import { makeNonce, signRequest } from '@sitewarden/agent-proto/http-signature';
import { fingerprint, generateEd25519, privateKeyFromPem } from '@sitewarden/agent-proto/keys';
import { newId } from '@sitewarden/kit/ids';
import { createEvidenceLog, type EvidenceLog } from './evidence-log.ts';
import type { HttpAnswer, HttpClient } from './http.ts';

/** The relay answered, and not with 2xx. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  readonly retryAfterS: number | undefined;

  constructor({ status, text, retryAfterS }: HttpAnswer) {
    const code = codeIn(text) ?? `HTTP_${status}`;
    super(`${status} ${code}`);
    this.status = status;
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

/** A claimed box. */
export interface SimBox {
  readonly serial: string;
  readonly agentId: string;
  readonly grant: ProvisionGrant;
  readonly bootId: string;
  readonly log: EvidenceLog;
  /** Rows the relay has of the telemetry lane. */
  telemetrySeq: number;
  /** Signs and sends. Throws Refused, or the error of a connection. */
  send(path: string, body: Buffer, contentType?: string): Promise<HttpAnswer>;
}

interface Key {
  readonly publicKey: string;
  readonly privateKey: KeyObject;
  readonly fingerprint: string;
}

function makeKey(): Key {
  const { publicKey, privateKeyPem } = generateEd25519();
  return { publicKey, privateKey: privateKeyFromPem(privateKeyPem), fingerprint: fingerprint(publicKey) };
}

/** Sends the code of a QR label, as a box does that a technician typed it into, and acknowledges the grant. */
export async function claimBox(
  http: HttpClient,
  input: { serial: string; codeUrl: string; siteCaCsr: string },
): Promise<SimBox> {
  const { serial, codeUrl, siteCaCsr } = input;
  const [dik, evk] = [makeKey(), makeKey()];
  const keys: BoxKeys = {
    dik: dik.publicKey,
    evk: evk.publicKey,
    seal: randomBytes(32).toString('base64url'),
    siteCaCsr,
  };
  const send = (path: string, body: Buffer, contentType = 'application/json') =>
    sendSigned(http, dik, { path, body, contentType });
  const request: ProvisionClaimRequest = {
    keys,
    serial,
    model: 'simulated',
    softwareVersion: '0.1.0',
    imageDigest: 'unpackaged',
    boxNonce: makeNonce(),
    code: { form: 'qr', secret: codeUrl.slice(codeUrl.lastIndexOf('.') + 1) },
  };
  const answer = JSON.parse((await send(BOX_PATHS.provisionClaim, json(request))).text) as ProvisionAnswer;
  const { grant, session } = answer;
  if (grant === undefined) throw new Error(`the claim of ${serial} is ${answer.state}, not granted`);
  await send(BOX_PATHS.provisionAck, json({ session, applianceId: grant.applianceId, configGeneration: 1 }));
  const { host } = JSON.parse(Buffer.from(decodeEnvelope(Buffer.from(grant.relayKeys)).payload).toString('utf8'));
  const bootId = randomUUID();
  const log = createEvidenceLog({ origin: logOrigin(host, grant.applianceId, grant.epoch), bootId, evk });
  log.append(
    {
      kind: 'claim',
      actor: { type: 'staff', id: grant.claimedBy },
      target: { agentId: null, host: serial, check: null, subject: grant.applianceId },
      incidentId: null,
      outcome: { code: 'claimed', text: `Claimed for ${grant.siteName}` },
    },
    Date.now(),
  );
  return { serial, agentId: newId('agt'), grant, bootId, log, telemetrySeq: 0, send };
}

async function sendSigned(
  http: HttpClient,
  dik: Key,
  { path, body, contentType }: { path: string; body: Buffer; contentType: string },
): Promise<HttpAnswer> {
  const headers = signRequest({
    method: 'POST',
    url: new URL(path, http.origin),
    body,
    keyId: dik.fingerprint,
    privateKey: dik.privateKey,
    createdS: Math.floor(Date.now() / 1000),
    nonce: makeNonce(),
  });
  const answer = await http.send('POST', path, { ...headers, 'content-type': contentType }, body);
  if (answer.status < 200 || answer.status > 299) throw new Refused(answer);
  return answer;
}

export const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** The body of an outbox request: a header line, then one line a row. */
export function outboxBody(lane: Lane, epoch: number, firstSeq: number, rows: readonly Buffer[]): Buffer {
  const header = json({ lane, epoch, firstSeq, count: rows.length });
  const end = Buffer.from('\n');
  return Buffer.concat([header, ...rows].flatMap((line) => [line, end]));
}

function codeIn(text: string): string | undefined {
  try {
    const { code } = JSON.parse(text) as { code?: unknown };
    return typeof code === 'string' ? code : undefined;
  } catch {
    return undefined;
  }
}
