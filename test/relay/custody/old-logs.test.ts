import { createEntryVerifier } from '@sitewarden/agent-proto/evidence';
import { generateEd25519, privateKeyFromPem, publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import { verifyInclusion } from '@sitewarden/agent-proto/merkle';
import { parseCheckpoint, verifierOf, verifyNote } from '@sitewarden/agent-proto/note';
import t, { type Test } from 'tap';
import { onBothRelays, type Start } from '../../helpers/both-relays.ts';
import { leavingBox } from '../../helpers/leave.ts';
import { seedPartner, seedSite } from '../../helpers/relay.ts';

interface Listed {
  entries: { seq: number; cosigned: boolean }[];
  logs: { id: string; epoch: number; isCurrent: boolean; cosignedSize: number }[];
}
interface Proof {
  origin: string;
  envelope: string;
  treeSize: number;
  inclusionProof: string[];
  checkpoint: string;
  evidenceKey: string;
  checkpointKey: string;
  firstKey: string;
}

/** As a stranger would: the entry under its key, in the tree of the checkpoint, which is signed by its own. */
function holds(proof: Proof): boolean {
  const { text } = verifyNote(proof.checkpoint, [verifierOf({ name: proof.origin, publicKey: proof.checkpointKey })]);
  const head = parseCheckpoint(text);
  const bytes = Buffer.from(proof.envelope);
  const { payload } = JSON.parse(proof.envelope) as { payload: string };
  const { predicate } = JSON.parse(Buffer.from(payload, 'base64').toString()) as {
    predicate: { seq: number; prev: string };
  };
  const { seq, prev } = predicate;
  const verdict = createEntryVerifier(publicKeyFromRaw(proof.evidenceKey))(bytes, { origin: proof.origin, seq, prev });
  const path = proof.inclusionProof.map((hash) => Buffer.from(hash, 'base64'));
  return (
    verdict.ok &&
    verifyInclusion({ leafHash: verdict.leafHash, index: seq, size: head.size, root: head.rootHash, proof: path })
  );
}

async function world(_t: Test, start: Start) {
  const relay = await start();
  const partnerId = await seedPartner(relay.store);
  const { siteId } = await seedSite(relay.store, partnerId);
  const admin = await relay.staff(partnerId, 'admin');
  const { box: old, applianceId } = await relay.claim(admin, siteId);
  const { host } = relay.services.keys;
  const before = leavingBox(old, { host, applianceId });
  before.log.append(3).turnTo(privateKeyFromPem(generateEd25519().privateKeyPem)).append(1);
  await before.deliver();
  const list = async (query = '') => (await admin.request<Listed>('GET', `/api/sites/${siteId}/evidence${query}`)).body;
  const prove = (seq: number, log: string) =>
    admin.request<Proof>('GET', `/api/sites/${siteId}/evidence/${seq}?log=${encodeURIComponent(log)}`);
  return { relay, partnerId, siteId, admin, old, applianceId, host, list, prove };
}

await onBothRelays(t, {
  'the evidence of an epoch that ended with a re-arm is still there, with proofs that hold': async (t, start) => {
    const { relay, partnerId, admin, old, applianceId, host, list, prove } = await world(t, start);
    const box = await relay.box(old.serial);
    const { session } = (await box.start()).body;
    const { number } = (await box.status(session)).body;
    t.equal((await admin.call('rearmBox', { params: { session }, body: { number, applianceId } })).status, 200);
    await box.ack(session, applianceId);
    const after = leavingBox(box, { host, applianceId, epoch: 2 });
    after.log.append(2);
    await after.deliver();

    const now = await list();
    t.equal(now.entries.length, 2, 'the present log unless another is asked for');
    t.match(now.logs, [
      { id: `${applianceId}/2`, isCurrent: true, cosignedSize: 2 },
      { id: `${applianceId}/1`, isCurrent: false, cosignedSize: 5 },
    ]);
    const ended = `${applianceId}/1`;
    const then = await list(`?log=${encodeURIComponent(ended)}`);
    t.same(
      then.entries.map(({ seq, cosigned }) => [seq, cosigned]),
      [4, 3, 2, 1, 0].map((seq) => [seq, true]),
    );
    for (const seq of [0, 3, 4]) {
      const { body } = await prove(seq, ended);
      t.equal(body.firstKey, old.keys.evk, 'of that epoch, not of the one now');
      t.ok(holds(body), `entry ${seq}`);
    }
    t.ok(holds((await prove(1, `${applianceId}/2`)).body));
    await relay.store.inTenant(partnerId, (trx) => trx.updateTable('evidence_log').set({ first_key: null }).execute());
    t.ok(holds((await prove(0, ended)).body), 'also of a log from before its first key was kept');
  },

  'the log of a box that left stays with its site, and nobody else sees it': async (t, start) => {
    const { relay, siteId, admin, applianceId, list, prove } = await world(t, start);
    await admin.call('removeBox', { params: { siteId }, body: { applianceId, reason: 'broken' } });
    const { logs, entries } = await list();
    t.same(entries, []);
    t.match(logs, [{ id: `${applianceId}/1`, isCurrent: false }]);
    t.ok(holds((await prove(2, `${applianceId}/1`)).body));
    const otherId = await seedPartner(relay.store, 'Other');
    const { siteId: elsewhere } = await seedSite(relay.store, otherId, 'Elsewhere');
    const other = await relay.staff(otherId, 'admin');
    const path = `/api/sites/${elsewhere}/evidence/2?log=${encodeURIComponent(`${applianceId}/1`)}`;
    t.equal((await other.request('GET', path)).status, 404);
    t.equal((await prove(2, `${applianceId}/7`)).status, 404);
  },
});
