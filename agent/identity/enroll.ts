import { randomBytes } from 'node:crypto';
import { status as Grpc, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { AgentServiceClient, EnrollResponse, HostInfo } from '@sitewarden/agent-proto/agent';
import { ensureDir } from '@sitewarden/kit/files';
import { agentErrors } from '../errors.ts';
import { parseAddress } from './address.ts';
import { findFault, fingerprintOf, parseCertificate } from './certificates.ts';
import { openClient } from './channel.ts';
import { fetchPinnedCa } from './pin.ts';
import { clearRemoval } from './removal.ts';
import { readPendingKey, removePendingKey, type StoredIdentity, writeIdentity, writePendingKey } from './store.ts';

export interface EnrollOptions {
  readonly dataDir: string;
  readonly applianceAddress: string | undefined;
  readonly token: string;
  readonly caFingerprint: string | undefined;
  readonly host: HostInfo;
  readonly nowMs: number;
  /** For each of the two connections. Default 15000. */
  readonly timeoutMs?: number;
}

const NONCE_BYTES = 32;
const DEFAULT_TIMEOUT_MS = 15_000;

/**
 * Trades the token for an identity and stores it. Throws APPLIANCE_ADDRESS_MISSING, ENROLL_PIN_MISSING,
 * ENROLL_PIN_MISMATCH, ENROLL_REFUSED, ENROLL_ANSWER_INVALID, APPLIANCE_UNREACHABLE.
 */
export async function enroll(options: EnrollOptions): Promise<StoredIdentity> {
  const { dataDir, applianceAddress, caFingerprint, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const address = parseAddress(applianceAddress);
  if (caFingerprint === undefined) throw agentErrors.make('ENROLL_PIN_MISSING', { field: 'caFingerprint' });
  const ca = await fetchPinnedCa(address, caFingerprint, timeoutMs);
  await ensureDir(dataDir, 0o700);
  const { makeCsr } = await import('./csr.ts');
  const { keyPem, csr } = await makeCsr(await readPendingKey(dataDir));
  await writePendingKey(dataDir, keyPem);
  const nonce = randomBytes(NONCE_BYTES);
  const client = openClient(applianceAddress!, { trustedCaPems: [ca.toString()] });
  try {
    const { token, host } = options;
    const answer = await callEnroll(client, { token, csr, nonce, host }, timeoutMs);
    const identity = readAnswer(answer, { ...options, nonce, keyPem, pin: caFingerprint });
    await writeIdentity(dataDir, identity);
    await clearRemoval(dataDir);
    await removePendingKey(dataDir);
    return identity;
  } finally {
    client.close();
  }
}

function readAnswer(
  answer: EnrollResponse,
  asked: EnrollOptions & { nonce: Buffer; keyPem: string; pin: string },
): StoredIdentity {
  const invalid = (detail: string) => agentErrors.make('ENROLL_ANSWER_INVALID', { detail });
  if (!asked.nonce.equals(answer.nonce)) throw invalid('It does not echo the nonce');
  if (answer.agentId === '') throw invalid('It names no agent');
  const certificate = parseCertificate(answer.certificate);
  const ca = parseCertificate(answer.siteCa);
  if (certificate === undefined || ca === undefined) throw invalid('It holds no certificate');
  if (fingerprintOf(ca.raw) !== asked.pin) throw invalid('Its site CA is not the pinned one');
  const fault = findFault({ certificate, ca }, asked.keyPem);
  if (fault !== undefined) throw invalid(fault);
  return {
    version: 1,
    agentId: answer.agentId,
    applianceAddress: asked.applianceAddress!,
    keyPem: asked.keyPem,
    certificatePem: certificate.toString(),
    trustedCaPems: [ca.toString()],
    enrolledAtMs: asked.nowMs,
    certifiedAtMs: asked.nowMs,
  };
}

type EnrollCall = Parameters<AgentServiceClient['enroll']>[0];

function callEnroll(client: AgentServiceClient, request: EnrollCall, timeoutMs: number): Promise<EnrollResponse> {
  return new Promise((resolve, reject) => {
    const done = (error: ServiceError | null, answer: EnrollResponse) =>
      error === null ? resolve(answer) : reject(enrollError(error));
    client.waitForReady(Date.now() + timeoutMs, (notReady) => {
      if (notReady) {
        reject(
          agentErrors.make('APPLIANCE_UNREACHABLE', { detail: 'No trusted connection came about', cause: notReady }),
        );
        return;
      }
      client.enroll(request, new Metadata(), { deadline: Date.now() + timeoutMs }, done);
    });
  });
}

/** The peer's details may repeat what was sent, so only the status is told. */
function enrollError(error: ServiceError): Error {
  const name = Grpc[error.code] ?? String(error.code);
  const detail = `The appliance answered ${name}`;
  switch (error.code) {
    case Grpc.UNAUTHENTICATED:
    case Grpc.PERMISSION_DENIED:
      return agentErrors.make('ENROLL_REFUSED', { detail });
    case Grpc.UNAVAILABLE:
    case Grpc.DEADLINE_EXCEEDED:
    case Grpc.RESOURCE_EXHAUSTED:
    case Grpc.CANCELLED:
      return agentErrors.make('APPLIANCE_UNREACHABLE', { detail });
    default:
      return agentErrors.make('ENROLL_ANSWER_INVALID', { detail });
  }
}
