import { createHash } from 'node:crypto';
import { AGENT_LIMITS, type EnrollRequest, type EnrollResponse, type HostInfo } from '@sitewarden/agent-proto/agent';
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

/**
 * Trades a token for a certificate. The answer may be lost after the token was used: while the token lives, the key that used
 * it gets the same agent and another certificate; any other key is refused. Whoever has that key is that agent.
 * Throws ENROLL_TOKEN_INVALID, CSR_INVALID, NONCE_INVALID, MESSAGE_INVALID.
 */
export async function enroll(
  ctx: ApplianceContext,
  siteCa: SiteCa,
  { request, certificateNowMs }: { request: EnrollRequest; certificateNowMs: number },
): Promise<EnrollResponse> {
  const { db, clock } = ctx;
  assertNonce(request.nonce);
  const host = validateHost(request.host);
  const hash = hashToken(request.token.slice(0, AGENT_LIMITS.maxTokenChars + 1));
  const find = () => {
    const found = enrollTokens.find(db, { hash, nowMs: clock.nowMs() });
    // A removed agent does not come back by asking again.
    if (found === undefined || (found.kind === 'used' && agents.byId(db, found.agentId)?.state !== 'active')) {
      throw applianceErrors.make('ENROLL_TOKEN_INVALID');
    }
    return found;
  };
  // Before the costly part: a guess must not make the box compute signatures.
  const before = find();
  const agentId = before.kind === 'used' ? before.agentId : newId('agt');
  const issued = await siteCa.issueForAgent({ csr: request.csr, agentId, nowMs: certificateNowMs });
  // Of several calls with the same token one gets to use it.
  const now = find();
  if (now.kind === 'used') {
    if (now.keyHash?.equals(issued.keyHash) !== true) throw applianceErrors.make('ENROLL_TOKEN_INVALID');
    // The same agent twice at once: this certificate names one that was never made.
    if (now.agentId !== agentId) return await enroll(ctx, siteCa, { request, certificateNowMs });
  }
  withTransaction(db, () => {
    if (now.kind === 'open') openAgent(ctx, { hash, agentId, host, keyHash: issued.keyHash });
    certificates.insert(db, { serial: issued.serial, agentId, notAfterMs: issued.notAfterMs });
  });
  ctx.signals.emit('change');
  ctx.log.info({ agentId, isAgain: before.kind === 'used' }, 'agent enrolled');
  return {
    agentId,
    certificate: issued.der,
    siteCa: siteCa.certificateDer,
    nonce: Buffer.from(request.nonce),
    notAfterMs: issued.notAfterMs,
  };
}

function openAgent(
  { db, clock }: ApplianceContext,
  { hash, agentId, host, keyHash }: { hash: Buffer; agentId: string; host: HostInfo; keyHash: Buffer },
): void {
  const nowMs = clock.nowMs();
  if (!enrollTokens.consume(db, { hash, agentId, keyHash, nowMs })) throw applianceErrors.make('ENROLL_TOKEN_INVALID');
  agents.insert(db, { id: agentId, host, tier: tierOf(state.siteConfig(db), agentId), enrolledAtMs: nowMs });
  const agent = agents.byId(db, agentId)!;
  changes.append(db, { kind: 'agent_enrolled', refId: agentId, body: agents.toRow(agent), atMs: nowMs });
}
