import { generateEd25519, privateKeyFromPem } from '@sitewarden/agent-proto/keys';
import { Frontier, rootOf } from '@sitewarden/agent-proto/merkle';
import t from 'tap';
import { storedRoot } from '../../../relay/witness/index.ts';
import { evidenceRows, ingestRig } from '../../helpers/ingest-rig.ts';
import { seedSite } from '../../helpers/relay.ts';
import { onBothEngines } from '../../helpers/relay-stores.ts';
import { seedBox } from '../../helpers/sim-box.ts';
import { outboxBody } from '../../helpers/sim-log.ts';

t.test('evidence on both engines', async (t) => {
  await onBothEngines(t, {
    'entries, tree and position are stored together, in any cut': async (t, store) => {
      const rig = await ingestRig(store);
      const { log } = rig.sim;
      log.append(300);
      let from = 0;
      for (const count of [1, 2, 63, 64, 65, 105]) {
        const answer = await rig.ingest(log.batch(from, from + count));
        from += count;
        t.same(answer, { ackedThrough: from, newRows: count });
      }
      const rows = await evidenceRows(rig);
      t.equal(rows.log?.receivedSize, 300);
      t.same(rows.positions, [{ lane: 'evidence', acked_through: 300 }]);
      t.same(
        rows.entries.map((entry) => [entry.seq, entry.envelope]),
        log.rows.map((row, seq) => [seq, row.toString('latin1')]),
      );
      const frontier = Frontier.fromBytes(Buffer.from(rows.log?.frontier ?? '', 'base64'));
      t.same(Buffer.from(frontier.root()), Buffer.from(rootOf(log.leaves, 300)));
      for (const size of [1, 2, 3, 127, 255, 256, 299, 300]) {
        const stored = await rig.within((trx) => storedRoot(trx, rig.sim.box, size));
        t.same(Buffer.from(stored), Buffer.from(rootOf(log.leaves, size)), `root of ${size} from stored nodes`);
      }
      t.match(rows.entries[0], { kind: 'claim', actor: 'system:sim', outcome_code: 'ok', site_id: rig.siteId });
    },

    'a repeated batch has no second effect, whatever it overlaps': async (t, store) => {
      const rig = await ingestRig(store);
      const { log } = rig.sim;
      log.append(20);
      await rig.ingest(log.batch(0, 10));
      t.same(await rig.ingest(log.batch(0, 10)), { ackedThrough: 10, newRows: 0 });
      t.same(await rig.ingest(log.batch(3, 7)), { ackedThrough: 10, newRows: 0 });
      t.same(await rig.ingest(log.batch(5, 15)), { ackedThrough: 15, newRows: 5 });
      t.same(await rig.ingest(log.batch(0, 20)), { ackedThrough: 20, newRows: 5 });
      const rows = await evidenceRows(rig);
      t.same(
        rows.entries.map(({ seq }) => seq),
        log.rows.map((_, seq) => seq),
      );
      t.equal(rows.log?.fault, null);
      const text = await rig.registry.metrics();
      t.match(text, /relay_outbox_rows_total\{lane="evidence",result="new"\} 20/);
      t.match(text, /relay_outbox_rows_total\{lane="evidence",result="repeated"\} 34/);
    },

    'each way to be wrong has its own code, leaves nothing, and is told to staff once': async (t, store) => {
      const rig = await ingestRig(store);
      const { log } = rig.sim;
      log.append(5);
      await rig.ingest(log.batch());
      const before = await evidenceRows(rig);
      const otherKey = privateKeyFromPem(generateEd25519().privateKeyPem);
      const site = await seedSite(store, rig.partnerId, 'Other');
      const foreign = await seedBox(store, { partnerId: rig.partnerId, siteId: site.siteId });
      const next = (over: Parameters<typeof log.makeEntry>[1] = {}) => log.makeEntry(5, over);
      const good = next();
      const tampered = Buffer.from(good);
      const at = tampered.indexOf('"payload":"') + 40;
      tampered[at] = tampered[at] === 0x41 ? 0x42 : 0x41;
      const fork = log.fork().append(3);
      const cases: [string, string, Buffer[]][] = [
        ['forged with another key', 'EVIDENCE_SIGNATURE', [log.makeEntry(5, {}, { key: otherKey })]],
        ['tampered', 'EVIDENCE_SIGNATURE', [tampered]],
        ['not an envelope', 'EVIDENCE_FORMAT', [Buffer.from('{}')]],
        ['another spelling of the same envelope', 'EVIDENCE_FORMAT', [Buffer.from(` ${good.toString('latin1')}`)]],
        ['an entry twice', 'EVIDENCE_SEQ', [good, good]],
        ['reordered', 'EVIDENCE_SEQ', [fork.rows[6] as Buffer, fork.rows[5] as Buffer]],
        ['a number left out', 'EVIDENCE_SEQ', [log.makeEntry(6, { prev: 'cd'.repeat(32) })]],
        ['another predecessor', 'EVIDENCE_PREV', [next({ prev: 'ab'.repeat(32) })]],
        ['of another appliance', 'EVIDENCE_FOREIGN', [log.makeEntry(5, {}, { origin: foreign.log.origin })]],
        ['unknown members', 'EVIDENCE_SCHEMA', [next({ patient: 'x' } as object)]],
      ];
      for (const [name, code, rows] of cases) {
        const body = outboxBody({ lane: 'evidence', firstSeq: 6, rows });
        await t.rejects(rig.ingest(body), { code }, name);
        const after = await evidenceRows(rig);
        t.same({ ...after, log: null, audit: null }, { ...before, log: null, audit: null }, `${name}: nothing stored`);
        t.equal(after.log?.receivedSize, 5);
        t.equal(after.log?.fault?.code, code, `${name}: the fault is kept`);
      }
      // The row at fault is named, and what was right before it is not taken either.
      const body = outboxBody({ lane: 'evidence', firstSeq: 6, rows: [good, Buffer.from('{}')] });
      await t.rejects(rig.ingest(body), { code: 'EVIDENCE_FORMAT', data: { seq: 7 } });
      const alarms = async () =>
        (await evidenceRows(rig)).audit.filter((action) => action === 'evidence.refused').length;
      const told = await alarms();
      await t.rejects(rig.ingest(body), { code: 'EVIDENCE_FORMAT' });
      t.equal(await alarms(), told, 'the same fault alarms once');
      t.ok(told >= 6, 'and each other fault too');
      log.append();
      t.same(await rig.ingest(log.batch(5)), { ackedThrough: 6, newRows: 1 });
      t.equal((await evidenceRows(rig)).log?.fault, null, 'the honest entry takes the fault back');
    },

    'rows missing in between are asked for, and nothing is stored': async (t, store) => {
      const rig = await ingestRig(store);
      rig.sim.log.append(10);
      await rig.ingest(rig.sim.log.batch(0, 3));
      await t.rejects(rig.ingest(rig.sim.log.batch(4, 10)), { code: 'OUTBOX_GAP', data: { expectedSeq: 4 } });
      t.equal((await evidenceRows(rig)).log?.receivedSize, 3);
    },

    'two logs with one number are a conflict that stands': async (t, store) => {
      const rig = await ingestRig(store);
      const { log } = rig.sim;
      log.append(5);
      await rig.ingest(log.batch());
      const fork = log.fork(3).append(4, { outcome: { code: 'ok', text: 'another past' } });
      await t.rejects(rig.ingest(fork.batch(0, 7)), { code: 'EVIDENCE_CONFLICT', data: { seq: 4 } });
      await t.rejects(rig.ingest(fork.batch(4, 5)), { code: 'EVIDENCE_CONFLICT', data: { seq: 5 } });
      const wrong = outboxBody({ lane: 'evidence', firstSeq: 6, rows: ['{}'] });
      await t.rejects(rig.ingest(wrong), { code: 'EVIDENCE_FORMAT' });
      log.append();
      await rig.ingest(log.batch(5));
      const rows = await evidenceRows(rig);
      t.equal(rows.log?.receivedSize, 6, 'the first log goes on');
      t.equal(rows.log?.fault?.code, 'EVIDENCE_CONFLICT', 'and the proof of the second one stays');
      t.ok(rows.audit.includes('evidence.refused'));
    },

    'the same rows sent many times at once count once': async (t, store) => {
      const rig = await ingestRig(store);
      const other = await import('../../../relay/ingest/index.ts').then(({ createIngestService }) =>
        createIngestService({ ...rig, metrics: { rows: () => {}, refused: () => {} } }),
      );
      rig.sim.log.append(120);
      const bodies = Array.from({ length: 12 }, (_, n) => rig.sim.log.batch(0, 10 * (n + 1)));
      const answers = await Promise.allSettled(
        bodies.map((body, n) => (n % 2 ? rig.service : other).ingest(rig.sim.box, body)),
      );
      const taken = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
      for (const answer of answers) {
        if (answer.status === 'rejected')
          t.equal(answer.reason.code, 'OVERLOADED', 'the only refusal is to come again');
      }
      await rig.ingest(rig.sim.log.batch());
      const rows = await evidenceRows(rig);
      t.same(
        rows.entries.map(({ seq }) => seq),
        rig.sim.log.rows.map((_, seq) => seq),
      );
      t.ok(taken.reduce((sum, { newRows }) => sum + newRows, 0) <= 120, 'no row had an effect twice');
      t.equal(rows.log?.fault, null);
    },

    'another epoch, and a box out of service, are refused': async (t, store) => {
      const rig = await ingestRig(store);
      rig.sim.log.append(1);
      const old = outboxBody({ lane: 'evidence', firstSeq: 1, rows: rig.sim.log.rows, epoch: 2 });
      await t.rejects(rig.ingest(old), { code: 'OUTBOX_EPOCH' });
      await t.rejects(rig.ingest(outboxBody({ lane: 'telemetry', firstSeq: 1, rows: ['{}'], epoch: 2 })), {
        code: 'OUTBOX_ROW_INVALID',
      });
      for (const [state, code] of [
        ['quarantined', 'APPLIANCE_QUARANTINED'],
        ['revoked', 'APPLIANCE_REVOKED'],
      ] as const) {
        await rig.within((trx) => trx.updateTable('appliance').set({ state }).execute());
        await t.rejects(rig.ingest(rig.sim.log.batch()), { code });
      }
      t.same((await evidenceRows(rig)).entries, []);
    },
  });
});
