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
