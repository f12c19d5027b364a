import { generateEd25519 } from '@sitewarden/agent-proto/keys';
import t from 'tap';
import { createBoxDirectory } from '../../relay/accounts/index.ts';
import type { Store } from '../../relay/store/index.ts';
import { revokeAppliance } from '../../relay/store/repositories/appliances.ts';
import { onBothEngines } from '../helpers/engines.ts';
import { seedTenant } from '../helpers/seed-tenant.ts';

/** A tenant whose appliance has a real key that the directory knows. */
async function seedBox(store: Store) {
  const { partnerId, rows } = await seedTenant(store);
  const { publicKey } = generateEd25519();
  const { id, dik_fingerprint: fingerprint } = rows.appliance;
  await store.inTenant(partnerId, async (trx) => {
    await trx.updateTable('appliance').set({ dik: publicKey }).execute();
    await trx
      .insertInto('key_directory')
      .values({ fingerprint, public_key: publicKey, partner_id: partnerId, appliance_id: id, revoked_at_ms: null })
      .execute();
  });
  return { partnerId, applianceId: id, fingerprint, siteId: rows.site.id };
}

await onBothEngines(t, async (t, fresh, engine) => {
  await t.test('a box is found by the fingerprint of its key, with its tenant', async (t) => {
    const store = await fresh(t);
    const { partnerId, applianceId, fingerprint, siteId } = await seedBox(store);
    const { box } = await createBoxDirectory(store).find(fingerprint, 0);
    t.match(box, { partnerId, applianceId, siteId, epoch: 1, state: 'active', fingerprint });
  });

  await t.test('a key nobody has is unknown', async (t) => {
    const store = await fresh(t);
    await t.rejects(createBoxDirectory(store).find('nobody', 0), { code: 'APPLIANCE_UNKNOWN' });
  });

  await t.test('a revoked box is refused at once by the process that revoked it', async (t) => {
    const store = await fresh(t);
    const { partnerId, applianceId, fingerprint } = await seedBox(store);
    const directory = createBoxDirectory(store);
    await directory.find(fingerprint, 0);
    await store.inTenant(partnerId, (trx) => revokeAppliance(trx, applianceId, 1));
    directory.forget(applianceId);
    await t.rejects(directory.find(fingerprint, 1), { code: 'APPLIANCE_REVOKED' });
  });

  if (engine === 'postgres') {
    await t.test('another process on the same store refuses it within seconds', async (t) => {
      const store = await fresh(t);
      const { partnerId, applianceId, fingerprint } = await seedBox(store);
      const elsewhere = createBoxDirectory(store);
      await elsewhere.find(fingerprint, 0);
      await store.inTenant(partnerId, (trx) => revokeAppliance(trx, applianceId, 1));
      await t.resolves(elsewhere.find(fingerprint, 5000));
      await t.rejects(elsewhere.find(fingerprint, 5001), { code: 'APPLIANCE_REVOKED' });
    });
  }
});
