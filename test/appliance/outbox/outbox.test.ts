import { decodeEnvelope, verifyEnvelope } from '@sitewarden/agent-proto/dsse';
import { BOX_PATHS, type IncidentRow, type ReceiptPayload } from '@sitewarden/agent-proto/http';
import { publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import { newId } from '@sitewarden/kit/ids';
import type { Test } from 'tap';
import t from 'tap';
import { createEvidence } from '../../../appliance/evidence/index.ts';
import type { RelayFailure } from '../../../appliance/lib/relay-failure.ts';
import { createOutbox } from '../../../appliance/outbox/index.ts';
import {
  advanceCursor,
  agents,
  changes,
  evidence,
  losses,
  outbox,
  readCursor,
  reports,
} from '../../../appliance/store/index.ts';
import { eventually } from '../../helpers/appliance-context.ts';
import { appendChange, openIncident } from '../helpers/change-bodies.ts';
import { claimWith, type UplinkFixture, uplinkFixture } from '../helpers/uplink-fixture.ts';

interface Parts extends UplinkFixture {
  readonly stage: ReturnType<typeof createEvidence>;
  readonly box: ReturnType<typeof createOutbox>;
  readonly refusals: RelayFailure[];
  /** Entries and lane rows of everything there is. */
  settle(): Promise<void>;
}

async function setUp(t: Test, options: { isThin?: boolean; claimed?: boolean } = {}): Promise<Parts> {
  const fixture = await uplinkFixture(t);
  if (options.claimed !== false) claimWith(fixture);
  const { ctx, identity, client } = fixture;
  const refusals: RelayFailure[] = [];
  const stage = createEvidence({ ctx, evk: identity.evk, timeQuality: () => 'unsynced' });
  const box = createOutbox({
    ctx,
    dik: identity.dik,
    client,
    isThin: () => options.isThin === true,
    checkpointNews: stage.checkpointNews,
    evidenceThrough: stage.doneThrough,
    onUnauthorized: (failure) => refusals.push(failure),
  });
  t.teardown(() => box.stop());
  return {
    ...fixture,
    stage,
    box,
    refusals,
    async settle() {
      await stage.settle();
      await box.settle();
    },
  };
}

const empty = ({ box }: Parts) =>
  eventually('the outbox is empty', () =>
    Object.values(box.snapshot()).every(({ depth }) => depth === 0) ? true : undefined,
  );

t.test('changes reach the relay in their lanes, with the number of the entry that stands for them', async (t) => {
  const parts = await setUp(t);
  const { ctx, relay } = parts;
  const incident = openIncident(ctx);
  const agent = { id: newId('agt'), host: { hostname: 'a', osFamily: 'linux', osVersion: '', agentVersion: '' } };
  agents.insert(ctx.db, { ...agent, tier: 0, enrolledAtMs: 1 });
  appendChange(ctx, 'agent_enrolled', agent.id, agents.toRow(agents.byId(ctx.db, agent.id)!));
  await parts.settle();
  t.match(parts.box.snapshot(), { evidence: { depth: 3 }, incidents: { depth: 1 }, telemetry: { depth: 1 } });
  await parts.box.start();
  await empty(parts);
  t.match(JSON.parse(relay.lanes.get('incidents')![0]!), {
    id: incident.row.id,
    evidenceSeq: 1,
  } as Partial<IncidentRow>);
  t.match(JSON.parse(relay.lanes.get('telemetry')![0]!), { type: 'agent', id: agent.id });
  t.strictSame(
    relay.lanes.get('evidence'),
    evidence.leaves(ctx.db, 0, 10).map(({ envelope }) => envelope.toString()),
  );
  await eventually('it is cosigned', () => (evidence.lastCosigned(ctx.db)?.size === 3 ? true : undefined));
  t.equal(relay.cosigned.size, 3);
  t.equal(
    (ctx.db.prepare('SELECT count(*) AS n FROM outbox_row').get() as { n: number }).n,
    0,
    'settled rows are gone',
  );
});

t.test('evidence goes first, telemetry last', async (t) => {
  const parts = await setUp(t);
  const { ctx, relay } = parts;
  const agentId = newId('agt');
  agents.insert(ctx.db, {
    id: agentId,
    host: { hostname: 'a', osFamily: 'linux', osVersion: '', agentVersion: '' },
    tier: 0,
    enrolledAtMs: 1,
  });
  appendChange(ctx, 'agent_changed', agentId, agents.toRow(agents.byId(ctx.db, agentId)!));
  openIncident(ctx);
  await parts.settle();
  await parts.box.start();
  await empty(parts);
  const order = relay.on(BOX_PATHS.outbox).map(({ body }) => JSON.parse(body.toString().split('\n')[0]!).lane);
  t.strictSame(order, ['evidence', 'incidents', 'telemetry']);
});

t.test('nothing is sent of a change before it is evidence', async (t) => {
  const parts = await setUp(t);
  openIncident(parts.ctx);
  await parts.box.settle();
  t.equal(readCursor(parts.ctx.db, 'outbox'), 0);
  await parts.settle();
  t.equal(readCursor(parts.ctx.db, 'outbox'), readCursor(parts.ctx.db, 'evidence'));
});

t.test('what is not yet an entry or a row counts as waiting, with its age', async (t) => {
  const parts = await setUp(t);
  const { ctx } = parts;
  await parts.settle();
  await parts.box.start();
  await empty(parts);
  ctx.db.exec(`CREATE TRIGGER broken BEFORE INSERT ON evidence_leaf BEGIN SELECT raise(ABORT, 'no'); END`);
  const first = openIncident(ctx);
  ctx.db.prepare('UPDATE change SET at_ms = ? WHERE ref_id = ?').run(ctx.clock.nowMs() - 90_000, first.row.id);
  for (let i = 0; i < 3; i += 1) openIncident(ctx);
  await t.rejects(parts.stage.settle());
  await parts.box.settle();
  const { evidence: entries, incidents, receipts } = parts.box.snapshot();
  t.strictSame([entries.depth, incidents.depth, receipts.depth], [4, 4, 0]);
  for (const { oldestAgeMs } of [entries, incidents]) t.ok(oldestAgeMs >= 90_000 && oldestAgeMs < 150_000);
  t.match(parts.stage.snapshot(), { waiting: 4, isHalted: false });
  reports.insert(ctx.db, { source: 'box', seq: 1, receivedAtMs: ctx.clock.nowMs() - 5000, body: Buffer.alloc(0) });
  const { depth, oldestAgeMs } = parts.box.snapshot().telemetry;
  t.equal(depth, 1, 'a report nobody has assessed');
  t.ok(oldestAgeMs >= 5000);
  ctx.db.exec('DROP TRIGGER broken');
  advanceCursor(ctx.db, 'assess', 1);
  await parts.settle();
  await empty(parts);
});

t.test('many waiting changes are counted by their share', async (t) => {
  const parts = await setUp(t);
  const { ctx } = parts;
  await parts.settle();
  const from = changes.lastId(ctx.db);
  for (let i = 0; i < 1500; i += 1) {
    openIncident(ctx);
    appendChange(ctx, 'agent_changed', 'agt', {} as never);
  }
  const counted = changes.waiting(ctx.db, from, (kind) => kind === 'incident_opened');
  const { atMs } = changes.since(ctx.db, from, { limit: 1 })[0]!;
  t.strictSame(counted, { count: 1500, oldestAtMs: atMs });
});

t.test('before the claim everything waits', async (t) => {
  const parts = await setUp(t, { claimed: false });
  openIncident(parts.ctx);
  await parts.settle();
  t.equal(readCursor(parts.ctx.db, 'outbox'), 0);
  claimWith(parts);
  await parts.settle();
  t.equal(parts.box.snapshot().incidents.depth, 1);
});

t.test('receipts are signed by the device key', async (t) => {
  const parts = await setUp(t);
  const { ctx, relay, identity } = parts;
  const orderId = newId('ord');
  const order = {
    orderId,
    orderSeq: 4,
    action: 'run_check',
    params: {},
    requestedBy: 'Ada',
    code: null,
    detail: 'x',
    atMs: 7,
  };
  appendChange(ctx, 'order_received', orderId, { ...order, state: 'started' });
  appendChange(ctx, 'order_finished', orderId, { ...order, state: 'done' });
  await parts.settle();
  await parts.box.start();
  await empty(parts);
  const key = publicKeyFromRaw(identity.dik.publicKey);
  const payloads = relay.lanes
    .get('receipts')!
    .map(
      (text) =>
        JSON.parse(Buffer.from(verifyEnvelope(decodeEnvelope(Buffer.from(text)), key)).toString()) as ReceiptPayload,
    );
  t.match(payloads, [
    { orderId, state: 'started', orderSeq: 4, applianceId: relay.box.applianceId },
    { orderId, state: 'done' },
  ]);
});

t.test(
  'a row that cannot be made is a loss in the log and holds up nothing; long words of a receipt are cut',
  async (t) => {
    const parts = await setUp(t);
    const { ctx } = parts;
    const odd = openIncident(ctx);
    ctx.db.prepare("UPDATE change SET body = '{' WHERE ref_id = ?").run(odd.row.id);
    const orderId = newId('ord');
    const order = { orderId, orderSeq: 1, action: 'run_check', params: {}, requestedBy: 'Ada', code: null, atMs: 7 };
    const detail = `${'x'.repeat(1023)}\u{1f600}${'y'.repeat(90_000)}`;
    appendChange(ctx, 'order_finished', orderId, { ...order, state: 'done', detail });
    openIncident(ctx);
    await parts.settle();
    t.match(parts.box.snapshot(), { receipts: { depth: 1 }, incidents: { depth: 1 } });
    t.equal(changes.firstOf(ctx.db, 'loss')?.refId, 'incident_opened');
    await parts.settle();
    await parts.box.start();
    await empty(parts);
    const [receipt] = parts.relay.lanes.get('receipts')!;
    const payload = Buffer.from(decodeEnvelope(Buffer.from(receipt!)).payload).toString();
    t.equal((JSON.parse(payload) as ReceiptPayload).detail.length, 1024);
  },
);

t.test('answers that never come back lead to no loss and no double', async (t) => {
  const parts = await setUp(t);
  const { ctx, relay } = parts;
  for (let i = 0; i < 40; i += 1) openIncident(ctx);
  await parts.settle();
  const taken: number[] = [];
  let calls = 0;
  relay.override.set(BOX_PATHS.outbox, async (request) => {
    calls += 1;
    relay.override.delete(BOX_PATHS.outbox);
    // The relay takes the rows; its answer is lost.
    const rows = relay.lanes.get('evidence')?.length ?? 0;
    await fetchInside(relay, request.body);
    taken.push((relay.lanes.get('evidence')?.length ?? 0) - rows);
    return 'cut' as const;
  });
  await parts.box.start();
  await empty(parts);
  t.equal(calls, 1);
  t.strictSame(taken, [41]);
  t.equal(relay.lanes.get('evidence')?.length, 41);
  t.equal(relay.lanes.get('incidents')?.length, 40);
  t.equal(new Set(relay.lanes.get('incidents')).size, 40);
});

/** What the relay's own route would have done with this body. */
async function fetchInside(relay: UplinkFixture['relay'], body: Buffer): Promise<void> {
  const lines = body.toString().split('\n').slice(1, -1);
  const { lane } = JSON.parse(body.toString().split('\n')[0]!) as { lane: string };
  relay.lanes.set(lane, [...(relay.lanes.get(lane) ?? []), ...lines]);
}

t.test('a relay that lost evidence is told it again from where it stands', async (t) => {
  const parts = await setUp(t);
  const { ctx, relay } = parts;
  for (let i = 0; i < 5; i += 1) openIncident(ctx);
  await parts.settle();
  await parts.box.start();
  await empty(parts);
  relay.lanes.set('evidence', relay.lanes.get('evidence')!.slice(0, 2));
  openIncident(ctx);
  await parts.settle();
  parts.box.drain.wake();
  await eventually('all seven are there', () => (relay.lanes.get('evidence')?.length === 7 ? true : undefined));
});

t.test('a relay that lost what is gone here goes on, is told how it stands, and the loss is noted', async (t) => {
  const parts = await setUp(t);
  const { ctx, relay } = parts;
  const agent = { id: newId('agt'), host: { hostname: 'a', osFamily: 'linux', osVersion: '', agentVersion: '' } };
  agents.insert(ctx.db, { ...agent, tier: 0, enrolledAtMs: 1 });
  appendChange(ctx, 'agent_enrolled', agent.id, agents.toRow(agents.byId(ctx.db, agent.id)!));
  appendChange(ctx, 'agent_changed', agent.id, agents.toRow(agents.byId(ctx.db, agent.id)!));
  await parts.settle();
  await parts.box.start();
  await empty(parts);
  relay.lanes.set('telemetry', []);
  appendChange(ctx, 'agent_changed', agent.id, agents.toRow(agents.byId(ctx.db, agent.id)!));
  await parts.settle();
  parts.box.drain.wake();
  await eventually('the loss is there', () => losses(ctx.db)[0]);
  await parts.settle();
  await empty(parts);
  const rows = relay.lanes.get('telemetry') ?? [];
  t.strictSame(rows.slice(0, 2), ['absent', 'absent']);
  t.strictSame(
    rows.slice(2).map((row) => JSON.parse(row).id),
    [agent.id, agent.id],
    'what waited, and how it stands',
  );
  t.match(losses(ctx.db), [{ what: 'telemetry', code: 'RELAY_SET_BACK', events: 1, rows: 2 }]);
  const entry = evidence.leaves(ctx.db, 0, 100).at(-1);
  t.equal(entry?.kind, 'loss', 'and part of the evidence');
  t.strictSame(parts.box.faults(), {});
});

/** Refuses the rows of incidents that `isBad` names, as the relay does: the whole batch, naming the first. */
function refuseIncidents({ relay }: Parts, isBad: (row: { id: string }) => boolean): void {
  relay.override.set(BOX_PATHS.outbox, ({ body }) => {
    const lines = body.toString().split('\n').slice(0, -1);
    const { lane, firstSeq } = JSON.parse(lines[0]!) as { lane: string; firstSeq: number };
    const bad = lane === 'incidents' ? lines.slice(1).findIndex((line) => isBad(JSON.parse(line))) : -1;
    if (bad < 0) return undefined;
    return { error: 'OUTBOX_ROW_INVALID', data: { seq: firstSeq + bad }, headers: { 'retry-after': '1' } };
  });
}

t.test('a row the relay will never take is tried again, then set aside, and holds up nothing', async (t) => {
  const parts = await setUp(t);
  const { ctx, relay } = parts;
  const made = [openIncident(ctx), openIncident(ctx), openIncident(ctx)].map(({ row }) => row.id);
  await parts.settle();
  refuseIncidents(parts, ({ id }) => id === made[1]);
  await parts.box.start();
  await eventually('the fault is shown', () => parts.box.faults().incidents);
  t.match(parts.box.faults(), { incidents: { code: 'OUTBOX_ROW_INVALID', isPermanent: true } });
  await eventually('what stood before it went at once', () => relay.lanes.get('incidents')?.length === 1 || undefined);
  await eventually('it is set aside', () => losses(ctx.db)[0]);
  await parts.settle();
  await empty(parts);
  const rows = relay.lanes.get('incidents') ?? [];
  t.strictSame(
    rows.map((row) => (row === 'absent' ? row : JSON.parse(row).id)),
    [made[0], 'absent', made[2]],
  );
  const { values } = await ctx.metrics.outboxFailures.get();
  t.match(
    values,
    [{ labels: { lane: 'incidents', code: 'OUTBOX_ROW_INVALID' }, value: 2 }],
    'and the third try was its last',
  );
  t.match(losses(ctx.db), [{ what: 'incidents', code: 'OUTBOX_ROW_INVALID', events: 1, rows: 1 }]);
  const kept = ctx.db.prepare('SELECT lane, seq, body FROM outbox_aside').all() as { body: Buffer }[];
  t.match(kept, [{ lane: 'incidents', seq: 2 }]);
  t.equal(JSON.parse(kept[0]!.body.toString()).id, made[1], 'it is kept');
});

t.test('a busy relay is left alone for as long as it asked', async (t) => {
  const parts = await setUp(t);
  const { ctx, relay } = parts;
  openIncident(ctx);
  await parts.settle();
  relay.override.set(BOX_PATHS.outbox, () => ({ error: 'OVERLOADED', headers: { 'retry-after': '3600' } }));
  await parts.box.start();
  await eventually('both lanes were told', () =>
    parts.box.faults().incidents ? parts.box.faults().evidence : undefined,
  );
  relay.override.delete(BOX_PATHS.outbox);
  parts.box.drain.wake();
  openIncident(ctx);
  await parts.settle();
  t.equal(relay.on(BOX_PATHS.outbox).filter(({ body }) => body.includes('"lane":"evidence"')).length, 1);
  t.equal(parts.box.faults().evidence?.isPermanent, false);
  parts.box.drain.retryNow();
  await empty(parts);
});

t.test('a refused box stops sending until it is welcome again', async (t) => {
  const parts = await setUp(t);
  const { ctx, relay } = parts;
  openIncident(ctx);
  await parts.settle();
  relay.override.set(BOX_PATHS.outbox, () => ({ error: 'APPLIANCE_REVOKED' }));
  await parts.box.start();
  await eventually('the refusal is told', () => parts.refusals[0]);
  t.equal(parts.refusals[0]?.code, 'APPLIANCE_REVOKED');
  parts.box.drain.setPaused(true);
  relay.override.delete(BOX_PATHS.outbox);
  const before = relay.on(BOX_PATHS.outbox).length;
  parts.box.drain.wake();
  t.equal(relay.on(BOX_PATHS.outbox).length, before);
  parts.box.drain.setPaused(false);
  parts.box.drain.retryNow();
  parts.box.drain.retryNow();
  t.ok(before >= 1);
});

t.test('the relay never makes the box forget more than it sent', async (t) => {
  const parts = await setUp(t);
  const { ctx, relay } = parts;
  for (let i = 0; i < 3; i += 1) openIncident(ctx);
  await parts.settle();
  relay.override.set(BOX_PATHS.outbox, ({ body }) => {
    const { lane } = JSON.parse(body.toString().split('\n')[0]!) as { lane: string };
    return lane === 'evidence'
      ? { json: { ackedThrough: 1, newRows: 1 } }
      : { json: { ackedThrough: 900, newRows: 0 } };
  });
  await parts.box.start();
  await eventually('incidents are judged', () => (parts.box.faults().incidents ? true : undefined));
  // It claims rows this disk never made: an older copy of the disk runs here. What waits gets numbers behind those.
  t.match(outbox.lane(ctx.db, 'incidents'), { ackedThrough: 900, nextSeq: 904 });
  t.strictSame(
    outbox.batch(ctx.db, 'incidents', { fromSeq: 1, limit: 10 }).map(({ seq }) => seq),
    [901, 902, 903],
  );
});

t.test('entries that outrun the drain are cosigned up to the newest kept checkpoint the relay holds', async (t) => {
  const parts = await setUp(t);
  const { ctx, box } = parts;
  for (let i = 0; i < 599; i += 1) openIncident(ctx);
  await parts.settle();
  // The first request brings 300 entries; the rest waits for its turn.
  box.drain.setRate(300);
  await box.start();
  const first = await eventually('something is cosigned', () => evidence.lastCosigned(ctx.db)?.size);
  t.equal(first, 256);
  t.ok(box.snapshot().evidence.depth > 0, 'while entries wait');
  await eventually('the whole is cosigned in the end', () =>
    evidence.lastCosigned(ctx.db)?.size === evidence.size(ctx.db) ? true : undefined,
  );
});

t.test('a checkpoint is proved from the size the relay names', async (t) => {
  const parts = await setUp(t);
  const { ctx, relay } = parts;
  for (let i = 0; i < 4; i += 1) openIncident(ctx);
  await parts.settle();
  await parts.box.start();
  await eventually('it is cosigned', () => (evidence.lastCosigned(ctx.db)?.size === 5 ? true : undefined));
  // The answer of an earlier cosignature was lost: the box believes in a smaller size than the relay.
  ctx.db.exec('UPDATE evidence_checkpoint SET cosigned_note = NULL');
  for (let i = 0; i < 4; i += 1) openIncident(ctx);
  await parts.settle();
  await eventually('it is cosigned again', () => {
    parts.box.drain.retryNow();
    return evidence.lastCosigned(ctx.db)?.size === 9 ? true : undefined;
  });
  t.equal(relay.cosigned.size, 9);
  t.equal(relay.on(BOX_PATHS.checkpoint).length, 4, '5, then 5 again: once refused for the size, then 9');
});

t.test('a cosignature that does not verify is not kept', async (t) => {
  const parts = await setUp(t);
  const { ctx, relay } = parts;
  openIncident(ctx);
  await parts.settle();
  const other = await uplinkFixture(t);
  relay.override.set(BOX_PATHS.checkpoint, () => ({ text: `\u2014 ${other.relay.host}/witness ${'A'.repeat(100)}\n` }));
  await parts.box.start();
  await eventually('the fault is shown', () => parts.box.faults().checkpoint);
  t.equal(parts.box.faults().checkpoint?.code, 'COSIGNATURE_INVALID');
  t.equal(evidence.lastCosigned(ctx.db), undefined);
});

t.test('a relay that knows a longer log of this box is an alarm, not a retry', async (t) => {
  const parts = await setUp(t);
  const { ctx, relay } = parts;
  openIncident(ctx);
  await parts.settle();
  relay.cosigned = { size: 500, root: Buffer.alloc(32) };
  await parts.box.start();
  await eventually('the fault is shown', () => parts.box.faults().checkpoint);
  t.match(parts.box.faults().checkpoint, { code: 'EVIDENCE_DIVERGED', isPermanent: true });
});

t.test('on a short disk telemetry is left out, counted in the log, and nothing else is', async (t) => {
  const parts = await setUp(t, { isThin: true });
  const { ctx } = parts;
  const agentId = newId('agt');
  const host = { hostname: 'a', osFamily: 'linux', osVersion: '', agentVersion: '' };
  agents.insert(ctx.db, { id: agentId, host, tier: 0, enrolledAtMs: 1 });
  const row = agents.toRow(agents.byId(ctx.db, agentId)!);
  appendChange(ctx, 'agent_enrolled', agentId, row);
  for (let i = 0; i < 3; i += 1) appendChange(ctx, 'agent_changed', agentId, row);
  openIncident(ctx);
  await parts.settle();
  t.match(parts.box.snapshot(), { incidents: { depth: 1 }, telemetry: { depth: 1 } });
  const loss = changes.since(ctx.db, 0, { limit: 100 }).filter(({ kind }) => kind === 'loss');
  t.match(loss, [{ body: { what: 'telemetry', count: 3, code: 'DISK_FULL' } }]);
});
