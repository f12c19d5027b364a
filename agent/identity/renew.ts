import { randomBytes } from 'node:crypto';
import { status as Grpc, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { AgentServiceClient, RenewCertificateResponse } from '@sitewarden/agent-proto/agent';
import { agentErrors } from '../errors.ts';
import { findFault, parseCertificate } from './certificates.ts';
import { openClient } from './channel.ts';
import { type StoredIdentity, writeIdentity } from './store.ts';

export interface RenewOptions {
  readonly dataDir: string;
  readonly applianceAddress: string;
  /** Default 15000. */
  readonly timeoutMs?: number;
}

const NONCE_BYTES = 32;
const DEFAULT_TIMEOUT_MS = 15_000;

/**
 * Gets a certificate for a new key and stores both in one step; the old ones serve until then. Throws RENEWAL_REFUSED,
 * AGENT_REMOVED, APPLIANCE_UNREACHABLE.
 */
export async function renew(identity: StoredIdentity, options: RenewOptions): Promise<StoredIdentity> {
  const { dataDir, applianceAddress, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const { makeCsr } = await import('./csr.ts');
  const { keyPem, csr } = await makeCsr();
  const nonce = randomBytes(NONCE_BYTES);
  const client = openClient(applianceAddress, { trustedCaPems: identity.trustedCaPems, client: identity });
  try {
    const answer = await callRenew(client, { csr, nonce }, timeoutMs);
    const renewed = readAnswer(answer, { identity, nonce, keyPem });
    await writeIdentity(dataDir, renewed);
    return renewed;
  } finally {
    client.close();
  }
}

/** The connection was already proved by the CA of before, so a new CA in the answer is the site's own. */
function readAnswer(
  answer: RenewCertificateResponse,
  asked: { identity: StoredIdentity; nonce: Buffer; keyPem: string },
): StoredIdentity {
  const refused = (detail: string) => agentErrors.make('RENEWAL_REFUSED', { detail });
  if (!asked.nonce.equals(answer.nonce)) throw refused('The answer does not echo the nonce');
  const certificate = parseCertificate(answer.certificate);
  const ca = parseCertificate(answer.siteCa);
  if (certificate === undefined || ca === undefined) throw refused('The answer holds no certificate');
  const fault = findFault({ certificate, ca }, asked.keyPem);
  if (fault !== undefined) throw refused(fault);
  const newest = ca.toString();
  const before = asked.identity.trustedCaPems.filter((pem) => pem !== newest).slice(0, 1);
  return {
    ...asked.identity,
    keyPem: asked.keyPem,
    certificatePem: certificate.toString(),
    trustedCaPems: [newest, ...before],
    certifiedAtMs: Date.now(),
  };
}

function callRenew(
  client: AgentServiceClient,
  request: { csr: Buffer; nonce: Buffer },
  timeoutMs: number,
): Promise<RenewCertificateResponse> {
  return new Promise((resolve, reject) => {
    client.renewCertificate(request, new Metadata(), { deadline: Date.now() + timeoutMs }, (error, answer) =>
      error === null ? resolve(answer) : reject(renewError(error)),
    );
  });
}

function renewError(error: ServiceError): Error {
  const detail = `The appliance answered ${Grpc[error.code] ?? error.code}`;
  if (error.code === Grpc.PERMISSION_DENIED) return agentErrors.make('AGENT_REMOVED', { detail });
  if (error.code === Grpc.UNAVAILABLE || error.code === Grpc.DEADLINE_EXCEEDED) {
    return agentErrors.make('APPLIANCE_UNREACHABLE', { detail });
  }
  return agentErrors.make('RENEWAL_REFUSED', { detail });
}
