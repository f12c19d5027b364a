import { newId } from '@sitewarden/kit/ids';
import t from 'tap';
import { purgeExpired } from '../../relay/claim/purge.ts';
import { secretHash } from '../../relay/lib/secrets.ts';
import type { Store } from '../../relay/store/index.ts';
import {
  boxToReplace,
  insertAppliance,
  releaseKey,
  replacedAppliances,
  revokeAppliance,
} from '../../relay/store/repositories/appliances.ts';
import {
  deleteUnclaimedOffers,
  disputeClaim,
  findOffer,
  insertOffer,
  listClaims,
  type NewOffer,
  revealOffer,
  takeOffer,
} from '../../relay/store/repositories/claims.ts';
import { insertClient, listClients } from '../../relay/store/repositories/clients.ts';
import { listCodes, returnTry, revokeCode, scanCode, takeCode, takeTry } from '../../relay/store/repositories/codes.ts';
import { enterSecret, findSecret, listTenants } from '../../relay/store/repositories/directory.ts';
import { findSession, insertLink, insertSession, useLink } from '../../relay/store/repositories/staff.ts';
import { onBothEngines } from '../helpers/engines.ts';
import { type SeededTenant, seedTenant } from '../helpers/seed-tenant.ts';

const DAY_MS = 86_400_000;

function offer(changes: Partial<NewOffer> = {}): NewOffer {
  return {
    id: newId('ps'),
    partnerId: null,
    secretHash: secretHash('offer', newId('x')),
    fingerprint: newId('fp'),
    facts: {
      keys: { dik: 'd', evk: 'e', seal: 's', siteCaCsr: 'c' },
      siteCaFingerprint: 'f',
      serial: 'SN',
      model: 'Box',
      softwareVersion: '1',
      imageDigest: 'unpackaged',
    },
    commitment: 'c',
    boxNonce: null,
    relayNonce: 'n',
    number: null,
    startedAtMs: 1000,
    address: '',
    expiresAtMs: 2000,
    ...changes,
  };
}

const inTenant = <T>(store: Store, { partnerId }: SeededTenant, fn: Parameters<typeof store.inTenant<T>>[1]) =>
  store.inTenant(partnerId, fn);

await onBothEngines(t, async (t, fresh) => {
  await t.test('an offer is taken once, on time, and loses what the box said of itself', async (t) => {
    const store = await fresh(t);
    const [own, other] = [await seedTenant(store), await seedTenant(store)];
    const made = offer();
    await store.system((trx) => insertOffer(trx, made));
    const take = (tenant: SeededTenant, nowMs: number) =>
      inTenant(store, tenant, (trx) => takeOffer(trx, { id: made.id, partnerId: tenant.partnerId, nowMs }));
    t.equal(await take(own, 2000), false, 'at the end of its time it is over');
    const takers = await Promise.all(Array.from({ length: 50 }, (_, index) => take(index % 2 ? own : other, 1999)));
    t.equal(takers.filter(Boolean).length, 1);
    const left = await store.system((trx) => findOffer(trx, made.id));
    t.match(left, { facts: '', partner_id: takers[0] ? other.partnerId : String });
  });

  await t.test('the first revealed nonce stays', async (t) => {
    const store = await fresh(t);
    const made = offer();
    await store.system(async (trx) => {
      await insertOffer(trx, made);
      await revealOffer(trx, { id: made.id, boxNonce: 'first', number: '11111111' });
      await revealOffer(trx, { id: made.id, boxNonce: 'second', number: '22222222' });
    });
    const row = await store.system((trx) => findOffer(trx, made.id));
    t.match(row, { box_nonce: 'first', number: '11111111' });
  });

  await t.test('a box that starts again has one open offer', async (t) => {
    const store = await fresh(t);
    const [first, second] = [offer({ fingerprint: 'same' }), offer({ fingerprint: 'same' })];
    await store.system(async (trx) => {
      await insertOffer(trx, first);
      await deleteUnclaimedOffers(trx, 'same');
      await insertOffer(trx, second);
    });
    t.equal(await store.system((trx) => findOffer(trx, first.id)), undefined);
    t.match(await store.system((trx) => findOffer(trx, second.id)), { fingerprint: 'same' });
  });

  await t.test('a code is taken once, and not when it is revoked or over', async (t) => {
    const store = await fresh(t);
    const tenant = await seedTenant(store);
    const { id } = tenant.rows.provision_code;
    const take = (nowMs: number) => inTenant(store, tenant, (trx) => takeCode(trx, { id, fingerprint: 'one', nowMs }));
    t.equal(await take(2), false);
    const takers = await Promise.all(Array.from({ length: 50 }, () => take(1)));
    t.equal(takers.filter(Boolean).length, 1);
    t.equal(await inTenant(store, tenant, (trx) => revokeCode(trx, id, 1)), false, 'a used code is not revoked');

    const second = await seedTenant(store);
    const code = second.rows.provision_code.id;
    t.equal(await inTenant(store, second, (trx) => revokeCode(trx, code, 1)), true);
    t.equal(await inTenant(store, second, (trx) => takeCode(trx, { id: code, fingerprint: 'one', nowMs: 1 })), false);
  });

  await t.test('the first look at the page of a code counts, while it waits for its box', async (t) => {
    const store = await fresh(t);
    const [own, used, revoked] = [await seedTenant(store), await seedTenant(store), await seedTenant(store)];
    const scan = (tenant: SeededTenant, nowMs: number) =>
      inTenant(store, tenant, (trx) => scanCode(trx, tenant.rows.provision_code.id, nowMs));
    t.equal(await scan(own, 2), undefined, 'at the end of its time it is over');
    const looks = await Promise.all(Array.from({ length: 20 }, () => scan(own, 1)));
    t.strictSame(
      looks.filter((siteId) => siteId !== undefined),
      [own.rows.site.id],
    );
    await inTenant(store, used, (trx) =>
      takeCode(trx, { id: used.rows.provision_code.id, fingerprint: 'one', nowMs: 1 }),
    );
    await inTenant(store, revoked, (trx) => revokeCode(trx, revoked.rows.provision_code.id, 1));
    for (const tenant of [used, revoked]) t.equal(await scan(tenant, 1), undefined);
    const listed = await inTenant(store, own, (trx) => listCodes(trx, own.partnerId, 10));
    t.strictSame(
      listed.map(({ id, scanned_at_ms }) => [id, scanned_at_ms]),
      [[own.rows.provision_code.id, 1]],
      'once, with or without a claim',
    );
  });

  await t.test('many guesses at once cannot have more tries than there are', async (t) => {
    const store = await fresh(t);
    const tenant = await seedTenant(store);
    const { id } = tenant.rows.provision_code;
    const tries = await Promise.all(
      Array.from({ length: 40 }, () => inTenant(store, tenant, (trx) => takeTry(trx, id))),
    );
    t.equal(tries.filter(Boolean).length, 5);
    await inTenant(store, tenant, (trx) => returnTry(trx, id));
    t.equal(await inTenant(store, tenant, (trx) => takeTry(trx, id)), true);
  });

  await t.test('a dispute is recorded once', async (t) => {
    const store = await fresh(t);
    const tenant = await seedTenant(store);
    const { id } = tenant.rows.provision_session;
    t.equal(await inTenant(store, tenant, (trx) => disputeClaim(trx, id, 5)), true);
    t.equal(await inTenant(store, tenant, (trx) => disputeClaim(trx, id, 6)), false);
  });

  await t.test('a link is used by one caller', async (t) => {
    const store = await fresh(t);
    const tenant = await seedTenant(store);
    const { partnerId, rows } = tenant;
    const link = { hash: 'h', partnerId, staffId: rows.staff.id, nowMs: 1, expiresAtMs: 100 };
    await inTenant(store, tenant, (trx) => insertLink(trx, link));
    const users = await Promise.all(
      Array.from({ length: 30 }, () => inTenant(store, tenant, (trx) => useLink(trx, 'h', 5))),
    );
    t.equal(users.filter((user) => user !== undefined).length, 1);
  });

  await t.test('two short codes never share a locator', async (t) => {
    const store = await fresh(t);
    const [own, other] = [await seedTenant(store), await seedTenant(store)];
    const enter = (tenant: SeededTenant) =>
      inTenant(store, tenant, (trx) =>
        enterSecret(trx, { kind: 'locator', hash: 'same', partnerId: tenant.partnerId, refId: 'pc_1' }),
      );
    t.equal(await enter(own), true);
    t.equal(await enter(other), false);
    t.match(await store.system((trx) => findSecret(trx, 'locator', 'same')), { partnerId: own.partnerId });
    t.equal(await store.system((trx) => findSecret(trx, 'code', 'same')), undefined, 'a kind is part of the name');
  });

  await t.test('a key is free again only after its appliance was revoked', async (t) => {
    const store = await fresh(t);
    const [own, other] = [await seedTenant(store), await seedTenant(store)];
    await inTenant(store, own, (trx) => revokeAppliance(trx, own.rows.appliance.id, 1));
    const appliance = {
      id: newId('app'),
      partnerId: own.partnerId,
      siteId: own.rows.site.id,
      dik: 'd',
      fingerprint: 'key',
      evk: 'e',
      seal: 's',
      siteCaFingerprint: 'f',
      serial: 'SN',
      model: 'Box',
      claimedBy: 'Kim',
      claimedAtMs: 2,
      origin: `relay/a/${newId('x')}/1`,
      epoch: 1,
      movedFrom: null,
      emptyFrontier: '',
    };
    await inTenant(store, own, (trx) => insertAppliance(trx, appliance));
    t.equal(await inTenant(store, other, (trx) => releaseKey(trx, 'key')), false);
    const asked = { siteId: own.rows.site.id, fingerprint: 'key' };
    t.strictSame(await inTenant(store, own, (trx) => replacedAppliances(trx, asked)), [appliance.id]);
    const { siteId } = asked;
    const toReplace = (fingerprint: string | null) =>
      inTenant(store, own, (trx) => boxToReplace(trx, { siteId, fingerprint }));
    const box = { applianceId: appliance.id, serial: 'SN', lastCheckinAtMs: null };
    t.strictSame(await toReplace('another key'), box);
    t.strictSame(await toReplace(null), box);
    t.equal(await toReplace('key'), null, 'a box does not replace itself');
    const claims = await inTenant(store, own, (trx) => listClaims(trx, own.partnerId, 10));
    t.ok(claims.length > 0);
    for (const { claim, replaces } of claims) t.strictSame(replaces, claim.site_id === siteId ? box : null);
    t.equal(await inTenant(store, own, (trx) => revokeAppliance(trx, appliance.id, 3)), true);
    t.equal(await toReplace('another key'), null, 'what is out of service already is not replaced');
    t.equal(await inTenant(store, own, (trx) => revokeAppliance(trx, appliance.id, 4)), false);
    t.equal(await inTenant(store, other, (trx) => releaseKey(trx, 'key')), true);
  });

  await t.test('a client name is taken once a partner', async (t) => {
    const store = await fresh(t);
    const [own, other] = [await seedTenant(store), await seedTenant(store)];
    const add = (tenant: SeededTenant) =>
      inTenant(store, tenant, (trx) =>
        insertClient(trx, tenant.partnerId, { id: newId('cli'), name: 'Elm', nowMs: 1 }),
      );
    t.strictSame([await add(own), await add(own), await add(other)], [true, false, true]);
    const listed = await inTenant(store, own, (trx) => listClients(trx, own.partnerId));
    t.strictSame(
      listed.map(({ name }) => name),
      ['Clinic', 'Elm'],
    );
  });

  await t.test('what nobody can use any more is purged, and what counts stays', async (t) => {
    const store = await fresh(t);
    const tenant = await seedTenant(store);
    const { partnerId, rows } = tenant;
    const nowMs = 100 * DAY_MS;
    const fresher = offer({ expiresAtMs: nowMs });
    await store.system(async (trx) => {
      await insertOffer(trx, offer());
      await insertOffer(trx, fresher);
    });
    await inTenant(store, tenant, async (trx) => {
      for (const [kind, hash, refId] of [
        ['session', rows.staff_session.token_hash, rows.staff.id],
        ['locator', 'locator', rows.provision_code.id],
        ['code', 'code', rows.provision_code.id],
        ['invite', rows.staff_invite.token_hash, rows.staff_invite.id],
      ] as const) {
        await enterSecret(trx, { kind, hash, partnerId, refId });
      }
      const times = { nowMs, expiresAtMs: nowMs + 1000 };
      const session = { hash: 'alive', partnerId, staffId: rows.staff.id, beganWith: 'link', ...times };
      await insertSession(trx, session);
      await enterSecret(trx, { kind: 'session', hash: 'alive', partnerId, refId: rows.staff.id });
    });
    await purgeExpired(store, nowMs);
    t.equal(await store.system((trx) => findSecret(trx, 'session', rows.staff_session.token_hash)), undefined);
    t.equal(await store.system((trx) => findSecret(trx, 'invite', rows.staff_invite.token_hash)), undefined);
    t.equal(await store.system((trx) => findSecret(trx, 'locator', 'locator')), undefined);
    t.match(await store.system((trx) => findSecret(trx, 'code', 'code')), { partnerId });
    t.match(await inTenant(store, tenant, (trx) => findSession(trx, 'alive')), { name: 'Kim' });
    const offers = await store.system((trx) => trx.selectFrom('box_offer').select('id').execute());
    t.strictSame(
      offers.map(({ id }) => id),
      [fresher.id],
    );
    t.strictSame(await store.system(listTenants), [partnerId]);
  });
});
