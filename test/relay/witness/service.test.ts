import { generateEd25519, privateKeyFromPem } from '@sitewarden/agent-proto/keys';
import { consistencyProof, rootOf } from '@sitewarden/agent-proto/merkle';
import {
  appendSignatures,
  encodeAddCheckpoint,
  encodeVkey,
  NOTE_KEY_TYPES,
  parseCheckpoint,
  parseNote,
  parseVkey,
  verifyCosignature,
} from '@sitewarden/agent-proto/note';
import t from 'tap';
import type { Store } from '../../../relay/store/index.ts';
import { createWitnessService } from '../../../relay/witness/index.ts';
import { makeCosigner } from '../../helpers/cosigner.ts';
import { evidenceRows, type IngestRig, ingestRig } from '../../helpers/ingest-rig.ts';
import { onBothEngines } from '../../helpers/relay-stores.ts';

async function witnessRig(store: Store) {
  const rig = await ingestRig(store);
  const keys = makeCosigner('relay.test');
  const create = () =>
    createWitnessService({ store, clock: rig.clock, keys, bus: rig.bus, metrics: { checkpoint: () => {} } });
  const service = create();
  return { ...rig, keys, create, add: (body: Buffer) => service.addCheckpoint(rig.sim.box, body) };
}

const headOf = async (rig: IngestRig) => (await evidenceRows(rig)).log;
const mirrorLine = /relay\.test\/mirror /;

t.test('the witness on both engines', async (t) => {
  await onBothEngines(t, {
    'an honest log is cosigned from size to size, stored before it is answered': async (t, store) => {
      const rig = await witnessRig(store);
      const { log } = rig.sim;
      let old = 0;
      for (const size of [1, 2, 3, 64, 65, 100]) {
        log.append(size - log.size);
        await rig.ingest(log.batch(old));
        const lines = await rig.add(log.addCheckpoint(old));
        const note = appendSignatures(log.checkpoint(), lines);
        for (const purpose of ['witness', 'mirror'] as const) {
          const { timestampS } = verifyCosignature(note, parseVkey(rig.keys.vkey(purpose)));
          t.equal(timestampS, Math.floor(rig.clock.nowMs() / 1000));
        }
        const head = await headOf(rig);
        t.match(head, { cosignedSize: size, cosignedAtMs: rig.clock.nowMs(), checkpoint: note });
        t.equal(head?.cosignedRoot, Buffer.from(rootOf(log.leaves, size)).toString('hex'));
        old = size;
        rig.clock.advance(60_000);
      }
      t.match(await rig.add(log.addCheckpoint(100)), /relay\.test\/witness /, 'the same head again gets a fresh time');
      t.equal((await headOf(rig))?.cosignedAtMs, rig.clock.nowMs());
    },

    'the mirror signs only what is stored here': async (t, store) => {
      const rig = await witnessRig(store);
      rig.sim.log.append(10);
      await rig.ingest(rig.sim.log.batch(0, 6));
      const early = await rig.add(rig.sim.log.addCheckpoint(0));
      t.match(early, /relay\.test\/witness /);
      t.notMatch(early, mirrorLine, 'four entries are not here yet');
      await rig.ingest(rig.sim.log.batch(6));
      t.match(await rig.add(rig.sim.log.addCheckpoint(10)), mirrorLine);
    },

    'refusals are those of the standard': async (t, store) => {
      const rig = await witnessRig(store);
      const { log } = rig.sim;
      log.append(10);
      await rig.ingest(log.batch());
      await rig.add(log.addCheckpoint(0, 5));
      const stranger = privateKeyFromPem(generateEd25519().privateKeyPem);
      const proof = consistencyProof(log.leaves, 5, 10);
      const body = (over: Parameters<typeof log.checkpoint>[1]) =>
        Buffer.from(encodeAddCheckpoint({ oldSize: 5, proof, checkpoint: log.checkpoint(10, over) }));
      const beyond = Buffer.from(body({}).toString('utf8').replace('old 5', 'old 11'));
      const before = await headOf(rig);
      await t.rejects(rig.add(Buffer.from('old 5\n')), { code: 'CHECKPOINT_FORMAT', status: 400 });
      await t.rejects(rig.add(beyond), { code: 'CHECKPOINT_FORMAT', status: 400 });
      await t.rejects(rig.add(body({ origin: 'relay.test/a/other/1' })), { code: 'CHECKPOINT_ORIGIN', status: 404 });
      await t.rejects(rig.add(body({ key: stranger })), { code: 'CHECKPOINT_SIGNATURE', status: 403 });
      await t.rejects(rig.add(log.addCheckpoint(3)), { code: 'CHECKPOINT_CONFLICT', status: 409, data: { size: 5 } });
      t.same(await headOf(rig), before, 'nothing was changed, and no fault noted');
      const wrongProof = Buffer.from(
        encodeAddCheckpoint({ oldSize: 5, proof: [new Uint8Array(32)], checkpoint: log.checkpoint() }),
      );
      await t.rejects(rig.add(wrongProof), { code: 'CHECKPOINT_PROOF', status: 422 });
      t.match(await headOf(rig), { cosignedSize: 5, fault: { code: 'CHECKPOINT_PROOF' } });
      await rig.add(log.addCheckpoint(5));
      t.match(await headOf(rig), { cosignedSize: 10, fault: null }, 'the right proof takes it back');
    },

    'a box that was set back is told to staff until it is where it was': async (t, store) => {
      const rig = await witnessRig(store);
      const { log } = rig.sim;
      log.append(10);
      await rig.ingest(log.batch());
      await rig.add(log.addCheckpoint(0));
      await t.rejects(rig.add(log.addCheckpoint(0, 4)), { code: 'CHECKPOINT_CONFLICT', data: { size: 10 } });
      t.match(await headOf(rig), { cosignedSize: 10, fault: { code: 'EVIDENCE_ROLLBACK' } });
      log.append(2);
      await rig.ingest(log.batch(10));
      await rig.add(log.addCheckpoint(10));
      t.equal((await headOf(rig))?.fault, null);
    },

    'a forked history is never cosigned, and both checkpoints are kept as proof': async (t, store) => {
      const rig = await witnessRig(store);
      const { log } = rig.sim;
      log.append(8);
      await rig.ingest(log.batch());
      await rig.add(log.addCheckpoint(0));
      const fork = log.fork(5).append(3, { outcome: { code: 'ok', text: 'another past' } });
      await t.rejects(rig.add(fork.addCheckpoint(8)), { code: 'CHECKPOINT_CONFLICT' });
      t.match(await headOf(rig), { fault: { code: 'EVIDENCE_FORK' } });
      const [event] = await rig.within((trx) =>
        trx.selectFrom('audit_event').select('detail').where('action', '=', 'evidence.refused').execute(),
      );
      const detail = JSON.parse(event?.detail ?? '{}');
      const roots = [detail.checkpoint, detail.cosigned].map((note) => parseCheckpoint(parseNote(note).text));
      t.equal(roots[0]?.size, roots[1]?.size);
      t.notSame(roots[0]?.rootHash, roots[1]?.rootHash, 'one size, two roots, both signed by the box');
      fork.append(4);
      await t.rejects(rig.add(fork.addCheckpoint(8)), { code: 'CHECKPOINT_PROOF' });
      log.append(1);
      await rig.ingest(log.batch(8));
      await rig.add(log.addCheckpoint(8));
      t.match(await headOf(rig), { cosignedSize: 9, fault: { code: 'EVIDENCE_FORK' } }, 'the proof of the fork stands');
    },

    'a checkpoint over other entries than those sent is refused': async (t, store) => {
      const rig = await witnessRig(store);
      const { log } = rig.sim;
      log.append(6);
      await rig.ingest(log.batch());
      const other = log.fork(3).append(3, { outcome: { code: 'ok', text: 'told others' } });
      await t.rejects(rig.add(other.addCheckpoint(0)), { code: 'CHECKPOINT_CONFLICT' });
      t.match(await headOf(rig), { cosignedSize: 0, fault: { code: 'EVIDENCE_FORK' } });
    },

    'of checkpoints that come at once, one is cosigned for each size': async (t, store) => {
      const rig = await witnessRig(store);
      const { log } = rig.sim;
      log.append(4);
      await rig.ingest(log.batch());
      await rig.add(log.addCheckpoint(0));
      for (let round = 0; round < 5; round += 1) {
        const size = log.size;
        const rivals = [1, 2, 3, 4].map((n) => {
          const rival = log.fork().append(2, { outcome: { code: 'ok', text: `${round} ${n}` } });
          return { rival, body: rival.addCheckpoint(size) };
        });
        // Each asks through a service of its own, as several relays would.
        const answers = await Promise.allSettled(
          rivals.map(({ body }) => rig.create().addCheckpoint(rig.sim.box, body)),
        );
        const won = answers.flatMap(({ status }, at) => (status === 'fulfilled' ? [at] : []));
        t.equal(won.length, 1, 'exactly one of the rivals is cosigned');
        const winner = rivals[won[0] as number]?.rival;
        t.match(await headOf(rig), {
          cosignedSize: size + 2,
          cosignedRoot: Buffer.from(rootOf(winner?.leaves ?? [], size + 2)).toString('hex'),
        });
        for (const row of winner?.rows.slice(size) ?? []) log.push(row);
      }
    },

    'a box out of service is not cosigned': async (t, store) => {
      const rig = await witnessRig(store);
      rig.sim.log.append(1);
      await rig.within((trx) => trx.updateTable('appliance').set({ state: 'quarantined' }).execute());
      await t.rejects(rig.add(rig.sim.log.addCheckpoint(0)), { code: 'APPLIANCE_QUARANTINED' });
      await rig.within((trx) => trx.updateTable('appliance').set({ state: 'active', epoch: 2 }).execute());
      await t.rejects(
        rig.add(rig.sim.log.addCheckpoint(0)),
        { code: 'CHECKPOINT_ORIGIN' },
        'nor is an epoch that ended',
      );
    },
  });
});

t.test('the verifier keys are of the cosignature type', (t) => {
  const keys = makeCosigner('relay.test');
  t.equal(parseVkey(keys.vkey('witness')).type, NOTE_KEY_TYPES.cosignature);
  t.equal(encodeVkey(parseVkey(keys.vkey('mirror'))), keys.vkey('mirror'));
  t.end();
});
