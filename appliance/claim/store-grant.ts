import type { ProvisionGrant } from '@sitewarden/agent-proto/http';
import { withTransaction } from '@sitewarden/kit/sqlite';
import { applianceErrors } from '../errors.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { changes, state } from '../store/index.ts';
import type { ClaimedSiteState } from '../store/state-types.ts';
import { storeConfig, verifyConfig } from '../uplink/index.ts';
import type { BoxFacts } from './box-facts.ts';

/**
 * Verifies a grant under the pinned root and puts it on disk, all of it or nothing: whose the box is, its configuration
 * and the claim as entry 0. Only after that may it be acknowledged. Throws GRANT_INVALID.
 */
export function storeGrant(
  ctx: ApplianceContext,
  {
    grant,
    session,
    facts,
    dikFingerprint,
  }: {
    grant: ProvisionGrant;
    session: string;
    facts: BoxFacts;
    dikFingerprint: string;
  },
): ClaimedSiteState {
  const { db, clock, config } = ctx;
  const { applianceId, siteId, siteName, partnerName, epoch, claimedBy, claimedAtMs, codeId } = grant;
  const signed = { config: grant.config, relayKeys: grant.relayKeys };
  let verified: ReturnType<typeof verifyConfig>;
  try {
    verified = verifyConfig(signed, { rootKey: config.relay.rootKey, dikFingerprint, applianceId, epoch });
  } catch (cause) {
    throw applianceErrors.make('GRANT_INVALID', { detail: (cause as Error).message, cause });
  }
  // What is shown and signed as entry 0 must be what the relay's config key stands for.
  if (verified.config.siteId !== siteId)
    throw applianceErrors.make('GRANT_INVALID', { detail: 'Its site is another one' });
  const relayHost = verified.keys.host;
  const site = { applianceId, siteId, siteName, partnerName, epoch, claimedBy, claimedAtMs, codeId, relayHost };
  const { keys, ...rest } = facts;
  const { dik, evk, seal } = keys;
  const atMs = clock.nowMs();
  withTransaction(db, () => {
    changes.append(db, {
      kind: 'claimed',
      refId: applianceId,
      body: { ...site, ...rest, keys: { dik, evk, seal }, ...(grant.previous && { previous: grant.previous }) },
      atMs,
    });
    storeConfig(db, signed, { verified, atMs });
    // With the session go its nonce and its code.
    state.set(db, 'claim', { value: { phase: 'granted', session, site }, atMs });
  });
  return site;
}
