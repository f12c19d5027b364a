import type { AgentRow, CheckRow, DeviceRow, IncidentRow } from '@sitewarden/agent-proto/http';
import { PAYLOAD_TYPES } from '@sitewarden/agent-proto/http';
import { generateEd25519, privateKeyFromPem } from '@sitewarden/agent-proto/keys';
import { newId } from '@sitewarden/kit/ids';
import t from 'tap';
import { listAgents } from '../../../relay/store/repositories/agents.ts';
import { type IngestRig, ingestRig } from '../../helpers/ingest-rig.ts';
import { onBothEngines } from '../../helpers/relay-stores.ts';
import { envelopeOf, outboxBody } from '../../helpers/sim-log.ts';
import { actionRunRow, agentRow, checkRow, deviceRow, incidentRow } from '../../helpers/sim-rows.ts';

const all = (
  rig: IngestRig,
  table: 'incident' | 'action_run' | 'agent' | 'check_latest' | 'device' | 'site_order' | 'lane_loss',
) => rig.within((trx) => trx.selectFrom(table).selectAll().execute());

async function seedOrder(rig: IngestRig, seq: number): Promise<string> {
  const id = newId('ord');
  await rig.within((trx) =>
    trx
      .insertInto('site_order')
      .values({
        id,
        partner_id: rig.partnerId,
        site_id: rig.siteId,
        appliance_id: rig.sim.box.applianceId,
        epoch: 1,
        seq,
        action: 'run_check',
        params: '{}',
        state: 'delivered',
        code: null,
        detail: '',
        requested_by: 'x',
        envelope: 'e',
        created_at_ms: 1,
        changed_at_ms: 1,
        expires_at_ms: 2,
      })
      .execute(),
  );
  return id;
}

t.test('incidents, telemetry and receipts on both engines', async (t) => {
  await onBothEngines(t, {
    'incidents and runs are kept as they stand after the last row': async (t, store) => {
      const rig = await ingestRig(store);
      const incident = incidentRow();
      const run = actionRunRow({ incidentId: incident.id });
      const healed: IncidentRow = { ...incident, state: 'resolved', resolvedAtMs: 9, changedAtMs: 9 };
      const rows = [
        incident,
        run,
        { ...incident, state: 'healing', changedAtMs: 5 },
        { ...run, state: 'verified' },
        healed,
      ];
      t.same(await rig.ingest(outboxBody({ lane: 'incidents', firstSeq: 1, rows })), { ackedThrough: 5, newRows: 5 });
      t.match(await all(rig, 'incident'), [
        { id: incident.id, state: 'resolved', site_id: rig.siteId, changed_at_ms: 9 },
      ]);
      t.match(await all(rig, 'action_run'), [{ id: run.id, state: 'verified', incident_id: incident.id }]);
      const again = outboxBody({ lane: 'incidents', firstSeq: 1, rows: rows.slice(0, 2) });
      t.same(await rig.ingest(again), { ackedThrough: 5, newRows: 0 });
      t.match(await all(rig, 'incident'), [{ state: 'resolved' }], 'a repetition sets nothing back');
    },

    'other management tools stand with their workstation, of this box alone': async (t, store) => {
      const rig = await ingestRig(store);
      const agent = agentRow();
      const finding = { product: 'Any\u0000Desk', version: '', running: true, foundBy: 'process', sinceMs: 4 };
      const rmm = { type: 'rmm', agentId: agent.id, findings: [finding], lookedAtMs: 5 } as const;
      const stranger = { ...rmm, agentId: agentRow().id };
      await rig.ingest(outboxBody({ lane: 'telemetry', firstSeq: 1, rows: [agent] }));
      t.match(await all(rig, 'agent'), [{ id: agent.id, rmm: null }], 'nobody has looked');
      await rig.ingest(
        outboxBody({ lane: 'telemetry', firstSeq: 2, rows: [{ ...rmm, findings: [] }, rmm, stranger, agent] }),
      );
      const kept = await rig.within((trx) => listAgents(trx, rig.sim.box.applianceId));
      t.strictSame(
        kept.map(({ rmm }) => rmm),
        [{ findings: [finding], lookedAtMs: 5 }],
      );
    },

    'telemetry rows land in their tables, one row each': async (t, store) => {
      const rig = await ingestRig(store);
      const agent: AgentRow = agentRow({ hostname: 'front\u0000desk' });
      const check: CheckRow = checkRow({ agentId: agent.id });
      const device: DeviceRow = deviceRow();
      const rows = [agent, check, device, { ...agent, connected: false }, { ...check, status: 'fail' }, checkRow()];
      await rig.ingest(outboxBody({ lane: 'telemetry', firstSeq: 1, rows }));
      t.match(await all(rig, 'agent'), [{ id: agent.id, connected: 0, received_at_ms: rig.clock.nowMs() }]);
      t.match((await all(rig, 'agent'))[0], { hostname: 'front\ufffddesk' }, 'text both engines can hold');
      const checks = (await all(rig, 'check_latest')) as { source: string; status: string }[];
      t.same(checks.map(({ source, status }) => [source, status]).sort(), [
        [agent.id, 'fail'],
        ['box', 'pass'],
      ]);
      t.match(await all(rig, 'device'), [{ id: device.id, last_seen_ms: device.lastSeenMs }]);
    },

    'a check nobody looks at any more goes, alone and in its turn': async (t, store) => {
      const rig = await ingestRig(store);
      const agent = agentRow();
      const check = checkRow({ agentId: agent.id, subject: 'cron\u0000' });
      const kept = checkRow({ agentId: agent.id, subject: 'sshd' });
      const own = checkRow({ subject: 'cron\u0000' });
      const gone = { type: 'check_gone', agentId: agent.id, check: check.check, subject: check.subject, atMs: 1 };
      const subjects = async () => {
        const found = (await all(rig, 'check_latest')) as { source: string; subject: string }[];
        return found.map(({ source, subject }) => [source === 'box', subject]).sort();
      };
      await rig.ingest(outboxBody({ lane: 'telemetry', firstSeq: 1, rows: [agent, check, kept, own, gone] }));
      const left = [
        [false, 'sshd'],
        [true, 'cron\ufffd'],
      ];
      t.same(await subjects(), left, 'in one batch');
      await rig.ingest(outboxBody({ lane: 'telemetry', firstSeq: 6, rows: [gone, check] }));
      t.equal((await subjects()).length, 3, 'what comes after it counts again');
      await rig.ingest(outboxBody({ lane: 'telemetry', firstSeq: 8, rows: [gone] }));
      t.same(await subjects(), left, 'in a batch of its own');
    },

    'a row that does not fit is named and nothing of its batch is stored': async (t, store) => {
      const rig = await ingestRig(store);
      const cases: [string, unknown, object][] = [
        ['no type', {}, { field: '/type' }],
        ['a type of another lane', agentRow(), { field: '/type' }],
        ['a type out of the prototype', { type: 'constructor' }, { field: '/type' }],
        ['an unknown member', { ...incidentRow(), patient: 'x' }, { field: '/patient' }],
        ['an id of another kind', incidentRow({ id: newId('agt') }), { field: '/id' }],
        ['no JSON', 'nonsense', { field: '/type' }],
      ];
      for (const [name, row, expected] of cases) {
        const body = outboxBody({ lane: 'incidents', firstSeq: 1, rows: [incidentRow(), row as object] });
        await t.rejects(rig.ingest(body), { code: 'OUTBOX_ROW_INVALID', data: { seq: 2 }, ...expected }, name);
      }
      t.same(await all(rig, 'incident'), []);
      t.same(await rig.within((trx) => trx.selectFrom('outbox_position').selectAll().execute()), []);
    },

    'rows of two boxes with the same ids never meet': async (t, store) => {
      const rig = await ingestRig(store);
      const other = await ingestRig(store);
      const incident = incidentRow();
      await rig.ingest(outboxBody({ lane: 'incidents', firstSeq: 1, rows: [incident] }));
      await other.ingest(outboxBody({ lane: 'incidents', firstSeq: 1, rows: [{ ...incident, title: 'mine now' }] }));
      const [own] = (await all(rig, 'incident')) as { row: string; site_id: string }[];
      t.equal(JSON.parse(own?.row ?? '{}').title, incident.title);
      t.equal(own?.site_id, rig.siteId);
      t.match(await all(other, 'incident'), [{ site_id: other.siteId }]);
    },

    'a receipt moves its order forward and never back': async (t, store) => {
      const rig = await ingestRig(store);
      const orderId = await seedOrder(rig, 1);
      const { applianceId } = rig.sim.box;
      const receipt = (state: string, over: object = {}) =>
        envelopeOf(rig.sim.dik, PAYLOAD_TYPES.receipt, {
          orderId,
          applianceId,
          epoch: 1,
          orderSeq: 1,
          state,
          code: null,
          detail: `is ${state}`,
          atMs: 5,
          ...over,
        });
      let seq = 1;
      const send = async (row: Buffer) => {
        const answer = await rig.ingest(outboxBody({ lane: 'receipts', firstSeq: seq, rows: [row] }));
        seq += 1;
        return answer;
      };
      await send(receipt('started'));
      t.match(await all(rig, 'site_order'), [
        { state: 'started', detail: 'is started', changed_at_ms: rig.clock.nowMs() },
      ]);
      await send(receipt('done'));
      await send(receipt('started'));
      await send(receipt('failed'));
      t.match(await all(rig, 'site_order'), [{ state: 'done', detail: 'is done' }]);

      const stranger = privateKeyFromPem(generateEd25519().privateKeyPem);
      const payload = { orderId, applianceId, epoch: 1, orderSeq: 1, state: 'done', code: null, detail: '', atMs: 5 };
      const bad: [string, Buffer][] = [
        ['another key', envelopeOf(stranger, PAYLOAD_TYPES.receipt, payload)],
        ['another purpose', envelopeOf(rig.sim.dik, PAYLOAD_TYPES.order, payload)],
        ['no envelope', Buffer.from('{}')],
        ['an unknown order', receipt('done', { orderId: newId('ord') })],
        ['another number', receipt('done', { orderSeq: 2 })],
        ['another appliance', receipt('done', { applianceId: newId('app') })],
        ['another epoch', receipt('done', { epoch: 2 })],
        ['an unknown state', receipt('cancelled')],
      ];
      for (const [name, row] of bad) {
        await t.rejects(send(row), { code: 'RECEIPT_INVALID', data: { seq } }, name);
      }
      t.match(await all(rig, 'site_order'), [{ state: 'done' }]);
    },

    'positions of the lanes are apart, and a gap in one stops only that one': async (t, store) => {
      const rig = await ingestRig(store);
      const batch = (lane: string, firstSeq: number, row: object) => outboxBody({ lane, firstSeq, rows: [row] });
      await rig.ingest(batch('incidents', 1, incidentRow()));
      await t.rejects(rig.ingest(batch('telemetry', 2, agentRow())), { code: 'OUTBOX_GAP', data: { expectedSeq: 1 } });
      await rig.ingest(batch('telemetry', 1, agentRow()));
      t.same(await rig.ingest(batch('incidents', 2, incidentRow())), { ackedThrough: 2, newRows: 1 });
    },

    'rows a box no longer has are noted as lost, and its lane goes on': async (t, store) => {
      const rig = await ingestRig(store);
      const send = (firstSeq: number, absent?: object, lane = 'telemetry') =>
        rig.ingest(
          outboxBody({
            lane,
            firstSeq,
            rows: [lane === 'telemetry' ? agentRow() : incidentRow()],
            ...(absent && { absent }),
          }),
        );
      await send(1);
      await t.rejects(send(5), { code: 'OUTBOX_GAP', data: { expectedSeq: 2 } });
      await t.rejects(
        send(5, { fromSeq: 3, refused: 0 }),
        { code: 'OUTBOX_GAP' },
        'of rows that are here nothing is skipped',
      );
      await t.rejects(send(5, { fromSeq: 5, refused: 0 }), { code: 'BODY_INVALID' });
      await t.rejects(send(5, { fromSeq: 2, refused: 4 }), { code: 'BODY_INVALID' });
      t.strictSame(await all(rig, 'lane_loss'), []);
      t.same(await send(5, { fromSeq: 2, refused: 1 }), { ackedThrough: 5, newRows: 1 });
      t.same(await send(5, { fromSeq: 2, refused: 1 }), { ackedThrough: 5, newRows: 0 }, 'the same again counts once');
      t.match(await all(rig, 'lane_loss'), [{ lane: 'telemetry', from_seq: 2, row_count: 3, refused: 1 }]);
      t.same(await send(6), { ackedThrough: 6, newRows: 1 });
      t.equal((await all(rig, 'agent')).length, 3);
      await t.rejects(send(3, { fromSeq: 1, refused: 0 }, 'evidence'), { code: 'BODY_INVALID', field: '/absent' });
    },

    'open pages hear of what was stored, and of nothing else': async (t, store) => {
      const rig = await ingestRig(store);
      const heard: string[] = [];
      rig.bus.subscribe(rig.partnerId, {
        onChange: ({ kind, siteId }) => heard.push(`${kind} ${siteId === rig.siteId}`),
      });
      rig.bus.subscribe('another', { onChange: () => heard.push('foreign') });
      const body = outboxBody({ lane: 'incidents', firstSeq: 1, rows: [incidentRow()] });
      await rig.ingest(body);
      t.same(heard, ['incidents true', 'site true']);
      await rig.ingest(body);
      t.equal(heard.length, 2, 'a repetition is no news');
      await t.rejects(rig.ingest(outboxBody({ lane: 'incidents', firstSeq: 2, rows: ['{}'] })));
      t.equal(heard.length, 2);
    },
  });
});
