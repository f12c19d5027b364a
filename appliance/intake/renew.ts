import type { RenewCertificateRequest, RenewCertificateResponse } from '@sitewarden/agent-proto/agent';
import { withTransaction } from '@sitewarden/kit/sqlite';
import { applianceErrors } from '../errors.ts';
import type { SiteCa } from '../identity/index.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { agents, certificates } from '../store/index.ts';
import { assertNonce } from './enroll.ts';

/**
 * A new certificate for the agent of the connection. The one it has stays good until it ends, so an answer that is lost on
 * the way costs nothing. Throws CSR_INVALID, NONCE_INVALID, AGENT_REMOVED.
 */
export async function renew(
  ctx: ApplianceContext,
  siteCa: SiteCa,
  input: { agentId: string; request: RenewCertificateRequest; certificateNowMs: number },
): Promise<RenewCertificateResponse> {
  const { agentId, request, certificateNowMs } = input;
  assertNonce(request.nonce);
  const issued = await siteCa.issueForAgent({ csr: request.csr, agentId, nowMs: certificateNowMs });
  withTransaction(ctx.db, () => {
    // It may have been removed while the signature was made.
    if (agents.byId(ctx.db, agentId)?.state !== 'active') throw applianceErrors.make('AGENT_REMOVED');
    certificates.insert(ctx.db, { serial: issued.serial, agentId, notAfterMs: issued.notAfterMs });
  });
  return {
    certificate: issued.der,
    siteCa: siteCa.certificateDer,
    nonce: Buffer.from(request.nonce),
    notAfterMs: issued.notAfterMs,
  };
}
