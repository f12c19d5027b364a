import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import type { Test } from 'tap';
import { type Identity, loadIdentity } from '../../../appliance/identity/index.ts';
import type { OutboundProxy } from '../../../appliance/lib/proxy.ts';
import { createRelayClient, type RelayClient } from '../../../appliance/lib/relay-client.ts';
import { createRelayClock } from '../../../appliance/lib/relay-clock.ts';
import { readSignedTime } from '../../../appliance/lib/trust.ts';
import { state } from '../../../appliance/store/index.ts';
import type { ClaimedSiteState } from '../../../appliance/store/state-types.ts';
import { storeRelayKeys } from '../../../appliance/uplink/relay-keys.ts';
import { applianceContext, type TestContext } from '../../helpers/appliance-context.ts';
import { claimRows } from './claimed.ts';
import { type RelayOptions, type SmallRelay, startSmallRelay } from './small-relay.ts';

export interface UplinkFixture {
  readonly ctx: TestContext;
  readonly identity: Identity;
  readonly relay: SmallRelay;
  readonly client: RelayClient;
}

/** A box with keys and a store, and a relay that keeps the contract; wall time is the real one. */
export async function uplinkFixture(
  t: Test,
  options: RelayOptions & { proxy?: OutboundProxy } = {},
): Promise<UplinkFixture> {
  const relay = await startSmallRelay(t, options);
  const base = applianceContext(t);
  const ctx: TestContext = {
    ...base,
    config: { ...base.config, relay: { url: relay.url, rootKey: relay.rootKey } },
    clock: { ...base.clock, nowMs: () => Date.now() },
  };
  const identity = await loadIdentity({ dataDir: ctx.config.dataDir, publicHosts: [] });
  relay.box.dik = identity.dik.publicKey;
  relay.box.evk = identity.evk.publicKey;
  const client = createRelayClient({
    url: relay.url,
    clock: ctx.clock,
    relayClock: createRelayClock(ctx.clock, { notBeforeMs: 0 }),
    sign: identity.dik.signRequest,
    userAgent: 'test',
    ...(options.tls === undefined ? {} : { ca: options.tls.ca }),
    proxy: options.proxy,
    hasRelayKeys: () => state.relayKeys(ctx.db) !== undefined,
    takeRelayKeys: (envelope) => storeRelayKeys(ctx, envelope, relay.rootKey),
    timeProbe: () => ({ method: 'GET', path: BOX_PATHS.orders }),
    readSignedTime(envelope, nonce) {
      const keys = state.relayKeys(ctx.db);
      try {
        return keys && readSignedTime(envelope, keys, nonce);
      } catch {
        return undefined;
      }
    },
  });
  t.teardown(() => client.close());
  return { ctx, identity, relay, client };
}

/** The rows of a finished claim with this relay. */
export function claimWith({ ctx, identity, relay }: UplinkFixture): ClaimedSiteState {
  const made = claimRows(ctx, identity);
  const site = { ...made, applianceId: relay.box.applianceId, relayHost: relay.host };
  state.set(ctx.db, 'claim', { value: { phase: 'claimed', site }, atMs: 1 });
  state.set(ctx.db, 'relay_keys', { value: { keys: relay.keys, envelope: relay.keysEnvelope }, atMs: 1 });
  return site;
}
