import { generateEd25519, privateKeyFromPem, rawPublicKey } from '@sitewarden/agent-proto/keys';
import { encodeAddCheckpoint } from '@sitewarden/agent-proto/note';
import t from 'tap';
import { proveEntry } from '../../../relay/sites/evidence.ts';
import { createWitnessService } from '../../../relay/witness/index.ts';
import { makeCosigner } from '../../helpers/cosigner.ts';
import { evidenceRows, ingestRig } from '../../helpers/ingest-rig.ts';
import { onBothEngines } from '../../helpers/relay-stores.ts';

const newKey = () => privateKeyFromPem(generateEd25519().privateKeyPem);

t.test('a box changes its evidence key', async (t) => {
  await onBothEngines(t, {
    'entries of both keys are taken in one batch, and the next batch goes on under the new one': async (t, store) => {
      const rig = await ingestRig(store);
      const { log } = rig.sim;
      log.append(100).turnTo(newKey()).append(100).turnTo(newKey()).append(3);
      t.same(await rig.ingest(log.batch()), { ackedThrough: 205, newRows: 205 });
      log.append(5);
      t.same(await rig.ingest(log.batch(205)), { ackedThrough: 210, newRows: 5 });
      t.same(await rig.ingest(log.batch()), { ackedThrough: 210, newRows: 0 }, 'all of it again');
      t.equal((await evidenceRows(rig)).log?.fault, null);
    },

    'the new key is refused before the change, the old one after it, and nothing is stored': async (t, store) => {
      const rig = await ingestRig(store);
      const { log, evk } = rig.sim;
      const next = newKey();
      log.append(3);
      await rig.ingest(log.batch());
      const fork = log.fork();
      fork.push(fork.makeEntry(3, {}, { key: next }));
      await t.rejects(rig.ingest(fork.batch(3)), { code: 'EVIDENCE_SIGNATURE', data: { seq: 4 } });
      const alone = log.fork();
      alone.push(alone.makeTurn(next, { signedBy: evk }));
      await t.rejects(rig.ingest(alone.batch(3)), { code: 'EVIDENCE_TRANSITION', data: { seq: 4 } });
      t.equal((await evidenceRows(rig)).log?.fault?.code, 'EVIDENCE_TRANSITION', 'staff see it');
      const late = log.fork().turnTo(next);
      late.push(late.makeEntry(4, {}, { key: evk }));
      await t.rejects(rig.ingest(late.batch(3)), { code: 'EVIDENCE_SIGNATURE', data: { seq: 5 } });
      t.equal((await evidenceRows(rig)).log?.receivedSize, 3);
      log.turnTo(next).append(1);
      t.match(await rig.ingest(log.batch(3)), { newRows: 2 });
      t.equal((await evidenceRows(rig)).log?.fault, null);
      const back = log.fork();
      back.push(log.makeTurn(evk));
      await t.rejects(rig.ingest(back.batch(5)), { code: 'EVIDENCE_TRANSITION' }, 'a former key');
    },

    'a checkpoint is signed by the key in force at its size, and an entry is proved with the changes before it': async (
      t,
      store,
    ) => {
      const rig = await ingestRig(store);
      const { log, evk } = rig.sim;
      const keys = makeCosigner('relay.test');
      const witness = createWitnessService({
        store,
        clock: rig.clock,
        keys,
        bus: rig.bus,
        metrics: { checkpoint: () => {} },
      });
      const next = newKey();
      log.append(4).turnTo(next).append(2);
      await rig.ingest(log.batch());
      const add = (size: number, key: typeof evk) =>
        witness.addCheckpoint(
          rig.sim.box,
          Buffer.from(encodeAddCheckpoint({ oldSize: 0, proof: [], checkpoint: log.checkpoint(size, { key }) })),
        );
      await t.rejects(add(4, next), { code: 'CHECKPOINT_SIGNATURE' }, 'the new key below the change');
      await t.rejects(add(5, evk), { code: 'CHECKPOINT_SIGNATURE' }, 'the old key above it');
      t.match(await add(4, evk), /relay\.test\/mirror /, 'kept from before the change');
      t.match(await witness.addCheckpoint(rig.sim.box, log.addCheckpoint(4)), /relay\.test\/witness /);
      const proof = (seq: number) => rig.within((trx) => proveEntry(trx, keys, { siteId: rig.siteId, seq }));
      const [first, second] = [rawPublicKey(evk), rawPublicKey(next)];
      t.match(await proof(4), {
        evidenceKey: first,
        checkpointKey: second,
        firstKey: first,
        transitions: [{ seq: 4 }],
      });
      t.match(await proof(5), { evidenceKey: second, transitions: [{ envelope: log.rows[4]?.toString('latin1') }] });
    },
  });
});
