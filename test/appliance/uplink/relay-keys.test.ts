import t from 'tap';
import { state } from '../../../appliance/store/index.ts';
import { storeRelayKeys } from '../../../appliance/uplink/relay-keys.ts';
import { initKeys, loadKeyring, stepKeys } from '../../../relay/keys/index.ts';
import { applianceContext } from '../../helpers/appliance-context.ts';

async function relayAt(dataDir: string, host = 'relay.test') {
  const { rootPublicKey } = await initKeys({ dataDir, host, nowMs: 1 });
  return { rootPublicKey, list: async () => (await loadKeyring({ dataDir, host })).publishedText };
}

t.test(
  'a newer list under the pinned root is kept; an older one, and one of another root or relay, is refused',
  async (t) => {
    const ctx = applianceContext(t);
    const base = ctx.config.dataDir;
    const own = await relayAt(`${base}/own`);
    const first = await own.list();
    t.equal(storeRelayKeys(ctx, first, own.rootPublicKey), true);
    t.equal(storeRelayKeys(ctx, first, own.rootPublicKey), false, 'the same again');
    await stepKeys('next', { dataDir: `${base}/own`, nowMs: 2 });
    t.equal(storeRelayKeys(ctx, await own.list(), own.rootPublicKey), true);
    t.equal(storeRelayKeys(ctx, first, own.rootPublicKey), false, 'a list from before brings nothing back');
    t.equal(state.relayKeys(ctx.db)?.generation, 2);

    const other = await relayAt(`${base}/other`);
    await stepKeys('next', { dataDir: `${base}/other`, nowMs: 2 });
    await stepKeys('switch', { dataDir: `${base}/other`, nowMs: 3 });
    const refused = { code: 'RELAY_KEYS_INVALID', message: /pinned root key/ };
    t.throws(() => storeRelayKeys(ctx, 'nothing', own.rootPublicKey), refused);
    const list = await other.list();
    t.throws(() => storeRelayKeys(ctx, list, own.rootPublicKey), refused, 'another root');
    const elsewhere = await relayAt(`${base}/elsewhere`, 'elsewhere.test');
    const foreign = await elsewhere.list();
    t.throws(() => storeRelayKeys(ctx, foreign, elsewhere.rootPublicKey), /those of elsewhere\.test/);
    t.equal(state.relayKeys(ctx.db)?.generation, 2, 'what was known stays');
  },
);
