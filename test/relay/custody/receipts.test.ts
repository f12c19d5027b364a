import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyReceipt } from '@sitewarden/agent-proto/custody';
import { snapshotFacts } from '@sitewarden/agent-proto/evidence';
import {
  BOX_PATHS,
  type CustodyBundle,
  type CustodyReceipt,
  PAYLOAD_TYPES,
  type RelayKeys,
  type ReleasePayload,
} from '@sitewarden/agent-proto/http';
import { fingerprint, generateEd25519, privateKeyFromPem } from '@sitewarden/agent-proto/keys';
import t, { type Test } from 'tap';
import { KEY_STEPS, ownPayload, stepKeys } from '../../../relay/keys/index.ts';
import { leavingBox } from '../../helpers/leave.ts';
import { seedPartner, seedSite, startTestRelay } from '../../helpers/relay.ts';
import { rootPublicKeyOf } from '../../helpers/root-key.ts';
import { envelopeOf } from '../../helpers/sim-log.ts';
import type { StaffClient } from '../../helpers/staff-client.ts';

const newKey = () => privateKeyFromPem(generateEd25519().privateKeyPem);

async function world(t: Test) {
  const dataDir = await mkdtemp(join(tmpdir(), 'sitewarden-receipts-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  let stop: (() => Promise<void>) | undefined;
  t.teardown(() => stop?.());
  const start = () =>
    startTestRelay(
      (fn) => {
        stop = fn;
      },
      { dataDir },
    );
  let relay = await start();
  const partnerId = await seedPartner(relay.store);
  const { siteId } = await seedSite(relay.store, partnerId);
  const { box, applianceId } = await relay.claim(await relay.staff(partnerId, 'admin'), siteId);
  const leaving = leavingBox(box, { host: relay.services.keys.host, applianceId });
  return {
    dataDir,
    box,
    leaving,
    rootKey: await rootPublicKeyOf(dataDir),
    admin: () => relay.staff(partnerId, 'admin'),
    /** All three steps, each followed by a start of the relay. */
    async changeRelayKeys() {
      for (const step of KEY_STEPS) {
        await stop?.();
        stop = undefined;
        await stepKeys(step, { dataDir, nowMs: Date.now() });
        relay = await start();
      }
    },
    remove: async (admin: StaffClient) => {
      const wish = { params: { siteId }, body: { applianceId, reason: 'broken' } };
      const { body } = await admin.call<{ receipts: CustodyReceipt[] }>('removeBox', wish);
      return body.receipts[0]?.receiptId as string;
    },
    /** Staff ask for it, and the box does it. */
    release: async (admin: StaffClient) => {
      const wish = { params: { siteId }, body: { applianceId, reason: 'sold' } };
      await admin.call('orderRelease', wish);
      const { body } = await box.send<{ release: string }>(BOX_PATHS.release);
      const { releaseId } = ownPayload<ReleasePayload>(body.release);
      leaving.log.append(1, { kind: 'released', after: snapshotFacts({ release_id: releaseId }) });
      await leaving.deliver();
      await leaving.word(releaseId);
      const { receipts } = (await admin.call<{ receipts: CustodyReceipt[] }>('custody', { params: { siteId } })).body;
      return receipts.find(({ kind }) => kind === 'released')?.receiptId as string;
    },
    /** The list of working keys as the relay answers it now. */
    relayKeys: () => relay.services.keys.publishedText,
    bundleOf: async (admin: StaffClient, receiptId: string) =>
      (await admin.call<{ bundle: CustodyBundle }>('receipt', { params: { receiptId } })).body.bundle,
    async forgetProofs() {
      await relay.store.inTenant(partnerId, (trx) => trx.updateTable('custody_receipt').set({ proof: null }).execute());
    },
  };
}

t.test('a receipt of a log whose key changed holds, and says each key from the first one on', async (t) => {
  const { box, leaving, rootKey, admin, remove, bundleOf, forgetProofs } = await world(t);
  leaving.log.append(3).turnTo(newKey()).append(2).turnTo(newKey()).append(1);
  await leaving.deliver();
  const staff = await admin();
  const receiptId = await remove(staff);
  const bundle = await bundleOf(staff, receiptId);
  t.equal(bundle.proof?.entries.length, 3, 'the claim and both changes');
  const { evk: firstKey } = box.keys;
  t.match(verifyReceipt(bundle, rootKey, { firstKey }), { ok: true });
  t.match(verifyReceipt(bundle, rootKey, { firstKey: box.keys.dik }), { check: 'the first key of the box' });

  const [claim, first, second] = bundle.proof?.entries ?? [];
  const withEntries = (entries: unknown[]) => ({ ...bundle, proof: { ...bundle.proof, entries } });
  t.match(verifyReceipt(withEntries([claim, first]), rootKey), { ok: false, check: 'last checkpoint' });
  t.match(verifyReceipt(withEntries([claim, second]), rootKey), { ok: false, check: 'keys of the log' });
  t.match(verifyReceipt(withEntries([claim, first, first]), rootKey), { ok: false, check: 'keys of the log' });
  const elsewhere = { ...first, inclusionProof: second?.inclusionProof };
  t.match(verifyReceipt(withEntries([claim, elsewhere, second]), rootKey), { ok: false, check: 'keys of the log' });
  const { receipt, relayKeys } = bundle;
  t.match(verifyReceipt({ receipt, relayKeys }, rootKey), { ok: false, check: 'last checkpoint' });

  await forgetProofs();
  t.same(await bundleOf(staff, receiptId), bundle, 'a receipt of before is given its proof when it is read');
});

t.test("a receipt holds after every change of the relay's keys, before and after it was written", async (t) => {
  const { leaving, rootKey, admin, remove, bundleOf, changeRelayKeys, forgetProofs } = await world(t);
  leaving.log.append(3);
  await leaving.deliver();
  await changeRelayKeys();
  const receiptId = await remove(await admin());
  const bundle = await bundleOf(await admin(), receiptId);
  t.equal(bundle.proof?.relayKeysBefore.length, 1, 'the list by which it was cosigned');
  t.match(verifyReceipt(bundle, rootKey), { ok: true });
  const without = { ...bundle, proof: { ...bundle.proof, relayKeysBefore: [] } };
  t.match(verifyReceipt(without, rootKey), { ok: false, check: 'last checkpoint' });
  const doubled = { ...bundle, proof: { ...bundle.proof, relayKeysBefore: [bundle.relayKeys] } };
  t.match(verifyReceipt(doubled, rootKey), { ok: false, check: 'former relay keys under the root key' });

  await changeRelayKeys();
  t.same(await bundleOf(await admin(), receiptId), bundle, 'nothing of it depends on the keys of the day');
  await forgetProofs();
  t.same(await bundleOf(await admin(), receiptId), bundle);
});

t.test(
  'by the newest list of keys a receipt of a withdrawn key is told from one of a key that still signs',
  async (t) => {
    const { dataDir, box, leaving, rootKey, admin, release, bundleOf, changeRelayKeys, relayKeys } = await world(t);
    leaving.log.append(3);
    await leaving.deliver();
    const isReleased = await release(await admin());
    const before = relayKeys();
    const told = await bundleOf(await admin(), isReleased);
    const { evk: firstKey } = box.keys;
    t.match(verifyReceipt(told, rootKey), { ok: true, signer: 'unasked' });
    t.match(verifyReceipt(told, rootKey, { newestRelayKeys: before }), { ok: true, signer: 'current' });

    await changeRelayKeys();
    const newestRelayKeys = relayKeys();
    t.match(
      verifyReceipt(told, rootKey, { newestRelayKeys }),
      { ok: true, signer: 'withdrawn' },
      'who stole all keys made it',
    );
    const asKnown = verifyReceipt(told, rootKey, { newestRelayKeys, firstKey });
    t.match(
      asKnown,
      { ok: true, signer: 'told_by_box', word: { closedAtMs: Number } },
      'only the box can have written its end',
    );
    t.match(verifyReceipt(told, rootKey, { newestRelayKeys, firstKey: box.keys.dik }), { ok: false });
    const unclosed = { ...told, proof: { ...told.proof, entries: told.proof?.entries.slice(0, -1) } };
    t.match(verifyReceipt(unclosed, rootKey, { newestRelayKeys, firstKey }), { ok: false, check: 'the log is closed' });

    const root = privateKeyFromPem(await readFile(join(dataDir, 'keys', 'root.pem'), 'utf8'));
    const { publicKey } = generateEd25519();
    const config = [{ keyId: fingerprint(publicKey), publicKey }];
    const listed = { ...ownPayload<RelayKeys>(before), generation: 2, config };
    const configAlone = envelopeOf(root, PAYLOAD_TYPES.relayKeys, listed).toString('latin1');
    t.match(
      verifyReceipt(told, rootKey, { newestRelayKeys: configAlone }),
      { ok: true, signer: 'told_by_box' },
      'a witness that still signs cosigns only the logs of boxes there are',
    );

    const old = { check: 'newest relay keys under the root key' };
    const late = verifyReceipt({ ...told, relayKeys: newestRelayKeys }, rootKey, { newestRelayKeys: before });
    t.match(late, { ok: false, ...old }, 'a list from before is not the newest');
    t.match(verifyReceipt(told, rootKey, { newestRelayKeys: told.receipt }), { ok: false, ...old });
  },
);

t.test('a removal under a withdrawn key has nothing of the box that bears it out', async (t) => {
  const { box, leaving, rootKey, admin, remove, bundleOf, changeRelayKeys, relayKeys } = await world(t);
  leaving.log.append(3);
  await leaving.deliver();
  const bundle = await bundleOf(await admin(), await remove(await admin()));
  await changeRelayKeys();
  const verdict = verifyReceipt(bundle, rootKey, { newestRelayKeys: relayKeys(), firstKey: box.keys.evk });
  t.match(verdict, { ok: true, signer: 'withdrawn', word: null });
});

t.test(
  'a receipt whose checkpoint was cosigned before all entries were there holds by the signatures alone',
  async (t) => {
    const { leaving, rootKey, admin, remove, bundleOf } = await world(t);
    leaving.log.append(2).turnTo(newKey()).append(1);
    await leaving.deliver();
    leaving.log.append(3);
    await leaving.cosignOnly();
    const staff = await admin();
    const bundle = await bundleOf(staff, await remove(staff));
    t.match(bundle.proof?.entries, [{ inclusionProof: null }, { inclusionProof: null }]);
    t.match(verifyReceipt(bundle, rootKey), { ok: true, receipt: { log: { size: 7 } } });
  },
);
