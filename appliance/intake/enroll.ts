import { createHash } from 'node:crypto';
import { AGENT_LIMITS, type EnrollRequest, type EnrollResponse } from '@sitewarden/agent-proto/agent';
import { newId } from '@sitewarden/kit/ids';
import { withTransaction } from '@sitewarden/kit/sqlite';
import { applianceErrors } from '../errors.ts';
import type { SiteCa } from '../identity/index.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { agents, certificates, changes, enrollTokens, state } from '../store/index.ts';
import { tierOf } from './agent-config.ts';
import { validateHost } from './validate-message.ts';

export const hashToken = (token: string): Buffer => createHash('sha256').update(token).digest();

/** Throws NONCE_INVALID. */
export function assertNonce(nonce: Uint8Array): void {
  if (nonce.length < AGENT_LIMITS.minNonceBytes || nonce.length > AGENT_LIMITS.maxNonceBytes) {
    throw applianceErrors.make('NONCE_INVALID', { field: 'nonce' });
  }
}

/** Trades a token for a certificate. Throws ENROLL_TOKEN_INVALID, CSR_INVALID, NONCE_INVALID, MESSAGE_INVALID. */
export async function enroll(
  ctx: ApplianceContext,
  siteCa: SiteCa,
  { request, certificateNowMs }: { request: EnrollRequest; certificateNowMs: number },
): Promise<EnrollResponse> {
  const { db, clock } = ctx;
  assertNonce(request.nonce);
  const host = validateHost(request.host);
  const hash = hashToken(request.token.slice(0, AGENT_LIMITS.maxTokenChars + 1));
  // Before the costly part: a guess must not make the box compute signatures.
  if (!enrollTokens.isOpen(db, { hash, nowMs: clock.nowMs() })) throw applianceErrors.make('ENROLL_TOKEN_INVALID');
  const agentId = newId('agt');
  const issued = await siteCa.issueForAgent({ csr: request.csr, agentId, nowMs: certificateNowMs });
  const nowMs = clock.nowMs();
  withTransaction(db, () => {
    // Of several calls with the same token one gets past here.
    if (!enrollTokens.consume(db, { hash, agentId, nowMs })) throw applianceErrors.make('ENROLL_TOKEN_INVALID');
    agents.insert(db, { id: agentId, host, tier: tierOf(state.siteConfig(db), agentId), enrolledAtMs: nowMs });
    certificates.insert(db, { serial: issued.serial, agentId, notAfterMs: issued.notAfterMs });
    const agent = agents.byId(db, agentId)!;
    changes.append(db, { kind: 'agent_enrolled', refId: agentId, body: agents.toRow(agent), atMs: nowMs });
  });
  ctx.signals.emit('change');
  ctx.log.info({ agentId }, 'agent enrolled');
  return {
    agentId,
    certificate: issued.der,
    siteCa: siteCa.certificateDer,
    nonce: Buffer.from(request.nonce),
    notAfterMs: issued.notAfterMs,
  };
}
