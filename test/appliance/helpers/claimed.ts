import { CHECK_NAMES } from '@sitewarden/agent-proto/checks';
import type { SiteConfig } from '@sitewarden/agent-proto/http';
import { generateEd25519 } from '@sitewarden/agent-proto/keys';
import { newId } from '@sitewarden/kit/ids';
import type { Identity } from '../../../appliance/identity/index.ts';
import { changes, state } from '../../../appliance/store/index.ts';
import type { ClaimedSiteState } from '../../../appliance/store/state-types.ts';
import type { TestContext } from '../../helpers/appliance-context.ts';

/** The rows a finished claim leaves behind. */
export function claimRows(ctx: TestContext, identity?: Pick<Identity, 'dik' | 'evk' | 'seal'>): ClaimedSiteState {
  const site: ClaimedSiteState = {
    applianceId: newId('app'),
    siteId: newId('site'),
    siteName: 'Praxis',
    partnerName: 'MSP',
    epoch: 1,
    claimedBy: 'Ada',
    claimedAtMs: ctx.clock.nowMs(),
    codeId: 'pc_1',
    relayHost: 'relay.example',
  };
  const atMs = ctx.clock.nowMs();
  const key = () => generateEd25519().publicKey;
  const keys = {
    dik: identity?.dik.publicKey ?? key(),
    evk: identity?.evk.publicKey ?? key(),
    seal: identity?.seal.publicKey ?? key(),
  };
  const rest = { serial: 'S-1', model: 'm', softwareVersion: '0.1.0', imageDigest: 'unpackaged' };
  changes.append(ctx.db, { kind: 'claimed', refId: site.applianceId, body: { ...site, ...rest, keys }, atMs });
  state.set(ctx.db, 'claim', { value: { phase: 'claimed', site }, atMs });
  return site;
}

/** The site configuration in force, as far as it says what agents look after. */
export function requireServices(ctx: TestContext, requiredServices: string[], checks = [...CHECK_NAMES]): void {
  const config: SiteConfig = {
    applianceId: newId('app'),
    siteId: newId('site'),
    siteName: 'Praxis',
    epoch: 1,
    generation: 1,
    dikFingerprint: 'F'.repeat(43),
    agentTier: 0,
    agentTiers: {},
    checks,
    requiredServices,
    checkIntervalMs: 900_000,
    heartbeatIntervalMs: 60_000,
    issuedAtMs: 1,
  };
  state.set(ctx.db, 'site_config', { value: { config, envelope: '' }, atMs: ctx.clock.nowMs() });
}
