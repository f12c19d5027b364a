import { verifyReceipt } from '@sitewarden/agent-proto/custody';
import { type CustodyBundle, type CustodyReceipt, PAYLOAD_TYPES } from '@sitewarden/agent-proto/http';
import { generateEd25519, privateKeyFromPem, rawPublicKey } from '@sitewarden/agent-proto/keys';
import t, { type Test } from 'tap';
import { ownPayload } from '../../../relay/keys/index.ts';
import { startTestRelay } from '../../helpers/relay.ts';
import { rootPublicKeyOf } from '../../helpers/root-key.ts';
import { envelopeOf } from '../../helpers/sim-log.ts';
import { transferWorld } from '../../helpers/transfer.ts';

async function world(t: Test) {
  const world_ = await transferWorld((options) => startTestRelay((fn) => t.teardown(fn), options));
  const { relay, admin, custody } = world_;
  const bundleOf = async (siteId: string, kind: string): Promise<CustodyBundle> => {
    const receiptId = (await custody(siteId)).receipts.find((one) => one.kind === kind)?.receiptId ?? '';
    return (await admin.call<{ bundle: CustodyBundle }>('receipt', { params: { receiptId } })).body.bundle;
  };
  /** Who has the key that signs receipts says something else. */
  const signAnew = (bundle: CustodyBundle, over: (receipt: CustodyReceipt) => Partial<CustodyReceipt>) => {
    const receipt = ownPayload<CustodyReceipt>(bundle.receipt);
    return { ...bundle, receipt: relay.services.keys.sign('config', { ...receipt, ...over(receipt) }, 'custody') };
  };
  return { ...world_, rootKey: await rootPublicKeyOf(relay.dataDir), bundleOf, signAnew };
}

t.test('a box that did not close its log has no receipt of its release, whoever signs one', async (t) => {
  const { siteId, admin, applianceId, leaving, rootKey, bundleOf, signAnew } = await world(t);
  leaving.log.append(4);
  await leaving.deliver();
  await admin.call('removeBox', { params: { siteId }, body: { applianceId, reason: 'lost' } });
  const honest = await bundleOf(siteId, 'removed');
  t.match(verifyReceipt(honest, rootKey), { ok: true });

  const made = privateKeyFromPem(generateEd25519().privateKeyPem);
  const forged = signAnew(honest, ({ box, log }) => {
    const { applianceId: id, epoch } = box;
    const { size, rootHash } = log;
    const word = { releaseId: `rel_${'a'.repeat(26)}`, applianceId: id, epoch, size, rootHash, closedAtMs: 1 };
    const released = envelopeOf(made, PAYLOAD_TYPES.released, word).toString('latin1');
    return { kind: 'released', released, box: { ...box, dik: rawPublicKey(made) } };
  });
  t.match(verifyReceipt(forged, rootKey), { ok: false, check: 'the log is closed' });
});

t.test('no part of a receipt can be put into another one', async (t) => {
  const { relay, siteId, toSiteId, partnerId, admin, box, transfer, leave, leaving, rootKey, bundleOf, signAnew } =
    await world(t);
  leaving.log.append(2);
  await leaving.deliver();
  await transfer();
  await leave();
  const { session } = (await box.start()).body;
  t.match((await box.status(session)).body, { state: 'approved' });
  const given = await bundleOf(siteId, 'released');
  const taken = await bundleOf(toSiteId, 'received');
  for (const one of [given, taken]) t.match(verifyReceipt(one, rootKey), { ok: true });
  t.equal(given.proof?.entries.length, 2, 'the claim, and that the log ends');

  const entries = given.proof?.entries ?? [];
  const proof = { relayKeysBefore: [], entries: entries.slice(0, 1) };
  t.match(verifyReceipt({ ...given, proof }, rootKey), { ok: false, check: 'the log is closed' });
  const { proof: _none, ...bare } = given;
  t.match(verifyReceipt(bare, rootKey), { ok: false, check: 'the log is closed' });
  const otherEpoch = signAnew(given, ({ box }) => ({ box: { ...box, epoch: 2 } }));
  t.match(verifyReceipt(otherEpoch, rootKey), { ok: false, check: 'the log of this box' });
  const otherBox = signAnew(given, (one) => ({
    box: { ...one.box, applianceId: ownPayload<CustodyReceipt>(taken.receipt).box.applianceId },
  }));
  t.match(verifyReceipt(otherBox, rootKey), { ok: false, check: 'the log of this box' });
  const ofAnother = signAnew(taken, () => ({ kind: 'released' }));
  t.match(verifyReceipt(ofAnother, rootKey), { ok: false });

  const stranger = await startTestRelay((fn) => t.teardown(fn));
  const theirs = stranger.services.keys;
  const resigned = {
    ...given,
    receipt: theirs.sign('config', ownPayload<CustodyReceipt>(given.receipt), 'custody'),
  };
  t.match(verifyReceipt(resigned, rootKey), { ok: false, check: 'receipt under the config key' });
  const moved = { ...resigned, relayKeys: theirs.publishedText };
  t.match(verifyReceipt(moved, rootKey), { ok: false, check: 'relay keys under the root key' });
  t.match(verifyReceipt(moved, await rootPublicKeyOf(stranger.dataDir)), { ok: false });
  t.ok(admin && partnerId && relay);
});
