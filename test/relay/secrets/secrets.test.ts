import { BOX_PATHS, type SiteConfig } from '@sitewarden/agent-proto/http';
import t, { type Test } from 'tap';
import nacl from 'tweetnacl';
import { ownPayload } from '../../../relay/keys/index.ts';
import { onBothRelays, type Start } from '../../helpers/both-relays.ts';
import { seedPartner, seedSite } from '../../helpers/relay.ts';

interface List {
  secrets: { name: string; isToEnterAgain: boolean; value?: string }[];
  hasBox: boolean;
  code?: string;
}
/** Looks like nothing else, so that finding it anywhere is a leak. */
const CANARY = `canary-${'x7Q'.repeat(8)}-end`;

async function world(_t: Test, start: Start) {
  const relay = await start();
  const partnerId = await seedPartner(relay.store);
  const { siteId } = await seedSite(relay.store, partnerId);
  const admin = await relay.staff(partnerId, 'admin', 'Ada Moreno');
  const { box, applianceId } = await relay.claim(admin, siteId);
  const set = (value: string, name = 'ssh-root', who = admin) =>
    who.call<List>('setSecret', { params: { siteId, name }, body: { value } });
  const list = async () => (await admin.call<List>('secrets', { params: { siteId } })).body;
  const config = async (asking = box) =>
    ownPayload<SiteConfig>((await asking.send<{ config: string }>(BOX_PATHS.config)).body.config);
  return { relay, partnerId, siteId, admin, box, applianceId, set, list, config };
}

type Pair = { secretKey: Uint8Array };
/** As the box does it, with the key it has. */
function open(config: SiteConfig, { secretKey }: Pair, name = 'ssh-root'): unknown {
  const bytes = Buffer.from(config.secrets?.find((one) => one.name === name)?.box ?? '', 'base64url');
  const plain = nacl.box.open(bytes.subarray(56), bytes.subarray(32, 56), bytes.subarray(0, 32), secretKey);
  return plain && JSON.parse(Buffer.from(plain).toString());
}

await onBothRelays(t, {
  'a secret goes to the box of the site, and nobody else can open what is kept': async (t, start) => {
    const { relay, partnerId, siteId, box, applianceId, set, list, config } = await world(t, start);
    t.match(await list(), { secrets: [], hasBox: true });
    t.equal((await config()).secrets, undefined, 'a site without secrets says nothing of them');
    const { generation } = await config();
    t.match(await set(CANARY), { status: 200, body: { secrets: [{ name: 'ssh-root', isToEnterAgain: false }] } });
    const given = await config();
    t.ok(given.generation > generation, 'the box fetches it after its next check-in');
    t.match(open(given, { secretKey: Buffer.from(box.sealSecret) }), { siteId, name: 'ssh-root', value: CANARY });
    t.equal(open(given, nacl.box.keyPair()), null);
    t.match(given.secrets, [{ sealedTo: box.keys.seal }]);

    const tables = ['site_secret', 'audit_event', 'site', 'appliance'] as const;
    for (const table of tables) {
      const rows = await relay.store.inTenant(partnerId, (trx) => trx.selectFrom(table).selectAll().execute());
      t.notMatch(JSON.stringify(rows), CANARY, table);
    }
    const told = await relay.store.inTenant(partnerId, (trx) =>
      trx.selectFrom('audit_event').select(['actor', 'detail']).where('action', '=', 'secret.set').execute(),
    );
    t.equal(told.length, 1);
    t.match(JSON.parse(told[0]?.detail ?? ''), { name: 'ssh-root', applianceId });
    t.notOk(JSON.stringify(await list()).includes(CANARY));
  },

  'entered again it takes the place of the one before, and removed it is gone from the box': async (t, start) => {
    const { siteId, admin, box, set, list, config } = await world(t, start);
    await set('first');
    await set('second');
    await set('other', 'snmp');
    const secretKey = Buffer.from(box.sealSecret);
    t.match(open(await config(), { secretKey }), { value: 'second' });
    const params = { siteId, name: 'ssh-root' };
    t.match(await admin.call('removeSecret', { params }), { status: 200, body: { secrets: [{ name: 'snmp' }] } });
    t.equal((await config()).secrets?.length, 1);
    t.equal((await admin.call('removeSecret', { params })).status, 404);
    t.equal((await list()).secrets.length, 1);
  },

  'of many that are entered at once only as many are taken as fit': async (t, start) => {
    const { set, config } = await world(t, start);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => set('x', `many-${i}`)));
    t.equal(answers.filter(({ status }) => status === 200).length, 16);
    t.ok(answers.every(({ status, body }) => status === 200 || body.code === 'SECRETS_FULL'));
    t.equal((await config()).secrets?.length, 16, 'the box still gets a configuration it takes');
  },

  'another box or key at the site cannot open it: it is not sent, and the page says which to enter again': async (
    t,
    start,
  ) => {
    const { relay, partnerId, siteId, admin, box, applianceId, set, list, config } = await world(t, start);
    await set('first');
    const quarantine = (state: string) =>
      relay.store.inTenant(partnerId, (trx) => trx.updateTable('appliance').set({ state }).execute());
    await quarantine('quarantined');
    t.match(await set('to two'), { status: 409, body: { code: 'SECRET_NO_BOX' } }, 'a copy would have its key too');
    t.match(await list(), { hasBox: false, secrets: [{ isToEnterAgain: false }] });
    await quarantine('active');
    const fresh = await relay.box(box.serial);
    const { session } = (await fresh.start()).body;
    const { number } = (await fresh.status(session)).body;
    t.equal((await admin.call('rearmBox', { params: { session }, body: { number, applianceId } })).status, 200);
    t.match((await list()).secrets, [{ name: 'ssh-root', isToEnterAgain: true }]);
    t.equal((await config(fresh)).secrets, undefined);
    t.match(await set('again'), { body: { secrets: [{ isToEnterAgain: false }] } });
    t.match(open(await config(fresh), { secretKey: Buffer.from(fresh.sealSecret) }), { value: 'again' });
    const { appliance } = (await admin.call<{ appliance: { id: string } }>('site', { params: { siteId } })).body;
    await admin.call('removeBox', { params: { siteId }, body: { applianceId: appliance.id, reason: 'broken' } });
    t.match(await set('nowhere'), { status: 409, body: { code: 'SECRET_NO_BOX' } });
    t.match(await list(), { hasBox: false, secrets: [{ isToEnterAgain: true }] });
  },

  'only admins of the company may, and what is too large is refused without repeating it': async (t, start) => {
    const { relay, partnerId, siteId, set } = await world(t, start);
    for (const role of ['operator', 'readonly', 'technician'] as const) {
      const who = await relay.staff(partnerId, role);
      t.equal((await set(CANARY, 'ssh-root', who)).status, 403, role);
      t.equal((await who.call('secrets', { params: { siteId } })).status, 403, role);
    }
    const stranger = await relay.staff(await seedPartner(relay.store, 'Other'), 'admin');
    t.equal((await set(CANARY, 'ssh-root', stranger)).status, 404);
    for (const large of [`${CANARY}${'y'.repeat(4096)}`, `${CANARY}${'ü'.repeat(2100)}`]) {
      const refused = await set(large);
      t.equal(refused.status, 400);
      t.notOk(JSON.stringify(refused.body).includes(CANARY));
    }
    const answers = [];
    for (let i = 0; i < 8; i += 1) answers.push((await set('z'.repeat(4096), `large-${i}`)).body.code);
    t.ok(answers.includes('SECRETS_FULL'), 'all of them fit into one signed configuration');
  },
});
