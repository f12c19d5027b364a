import { newId } from '@sitewarden/kit/ids';
import t from 'tap';
import { AGENT_ORDER_SQL } from '../../../appliance/store/agent-orders.ts';
import { AGENT_SQL } from '../../../appliance/store/agents.ts';
import { CERTIFICATE_SQL } from '../../../appliance/store/certificates.ts';
import { CHANGE_SQL } from '../../../appliance/store/changes.ts';
import { CURSOR_SQL } from '../../../appliance/store/cursors.ts';
import { ENROLL_TOKEN_SQL } from '../../../appliance/store/enroll-tokens.ts';
import { EVIDENCE_SQL } from '../../../appliance/store/evidence.ts';
import {
  advanceCursor,
  agentOrders,
  agents,
  changes,
  createStage,
  enrollTokens,
  judgeRoom,
  outbox,
  readCursor,
  reports,
} from '../../../appliance/store/index.ts';
import { OUTBOX_SQL } from '../../../appliance/store/outbox.ts';
import { REPORT_SQL } from '../../../appliance/store/reports.ts';
import { applianceContext, eventually, type TestContext } from '../../helpers/appliance-context.ts';

const HOST = { hostname: 'a', osFamily: 'linux', osVersion: '', agentVersion: '' };

function addAgent({ db }: TestContext): string {
  const id = newId('agt');
  agents.insert(db, { id, host: HOST, tier: 0, enrolledAtMs: 1 });
  return id;
}

t.test('hot statements use an index and never read a table through', async (t) => {
  const { db } = applianceContext(t);
  const hot: Record<string, string> = {
    'report.insert': REPORT_SQL.insert,
    'report.since': REPORT_SQL.since,
    'agent.ackedThrough': AGENT_SQL.ackedThrough,
    'agent.setAckedThrough': AGENT_SQL.setAckedThrough,
    'agent.byId': AGENT_SQL.byId,
    'certificate.bySerial': CERTIFICATE_SQL.bySerial,
    'token.consume': ENROLL_TOKEN_SQL.consume,
    'change.since': CHANGE_SQL.since,
    'change.sinceThrough': CHANGE_SQL.sinceThrough,
    'cursor.read': CURSOR_SQL.read,
    'order.queuedFor': AGENT_ORDER_SQL.queuedFor,
    'evidence.lastLeaf': EVIDENCE_SQL.lastLeaf,
    'evidence.lastSeq': EVIDENCE_SQL.lastSeq,
    'evidence.leaves': EVIDENCE_SQL.leaves,
    'evidence.node': EVIDENCE_SQL.node,
    'outbox.batch': OUTBOX_SQL.batch,
    'outbox.oldest': OUTBOX_SQL.oldest,
    'outbox.removeThrough': OUTBOX_SQL.removeThrough,
    'outbox.takeSeqs': OUTBOX_SQL.takeSeqs,
  };
  for (const [name, sql] of Object.entries(hot)) {
    const statement = db.prepare(`EXPLAIN QUERY PLAN ${sql}`);
    const parameters = new Array((sql.match(/\?/g) ?? []).length).fill(1);
    const plan = (statement.all(...parameters) as { detail: string }[]).map(({ detail }) => detail).join('; ');
    // The newest leaf is the end of the table's own order.
    const isOrdered = name === 'evidence.lastLeaf' || name === 'evidence.lastSeq';
    t.notMatch(plan, isOrdered ? /TEMP B-TREE/ : /SCAN|TEMP B-TREE/, `${name}: ${plan}`);
  }
});

t.test('a cursor never moves back', async (t) => {
  const { db } = applianceContext(t);
  t.equal(readCursor(db, 'assess'), 0);
  advanceCursor(db, 'assess', 5);
  advanceCursor(db, 'assess', 3);
  t.equal(readCursor(db, 'assess'), 5);
});

t.test('a token is consumed once', async (t) => {
  const { db } = applianceContext(t);
  const hash = Buffer.alloc(32, 1);
  enrollTokens.insert(db, { hash, createdAtMs: 0, expiresAtMs: 100 });
  t.equal(enrollTokens.consume(db, { hash, agentId: 'a', keyHash: hash, nowMs: 100 }), false, 'at its end it is over');
  t.equal(enrollTokens.consume(db, { hash, agentId: 'a', keyHash: hash, nowMs: 99 }), true);
  t.equal(enrollTokens.consume(db, { hash, agentId: 'b', keyHash: hash, nowMs: 99 }), false);
});

t.test('row numbers are never given out twice, however much is deleted', async (t) => {
  const ctx = applianceContext(t);
  const { db } = ctx;
  const id = addAgent(ctx);
  for (let seq = 1; seq <= 3; seq += 1) {
    reports.insert(db, { source: id, seq, receivedAtMs: 0, body: Buffer.from('x') });
    changes.append(db, { kind: 'agent_changed', refId: id, body: agents.toRow(agents.byId(db, id)!), atMs: 0 });
  }
  const all = { throughId: 100, beforeMs: 100, limit: 100 };
  t.equal(reports.prune(db, all), 2);
  t.equal(changes.prune(db, all), 2);
  t.equal(reports.insert(db, { source: id, seq: 4, receivedAtMs: 0, body: Buffer.from('x') }), 4);
});

t.test('lanes count without holes, and what is acknowledged is gone', async (t) => {
  const { db } = applianceContext(t);
  outbox.openLane(db, 'incidents', 1);
  outbox.openLane(db, 'incidents', 2);
  t.equal(outbox.lane(db, 'incidents')?.epoch, 1, 'an open lane stays as it is');
  const row = (text: string) => ({ body: Buffer.from(text), createdAtMs: 7 });
  outbox.append(db, 'incidents', [row('a'), row('b')]);
  outbox.append(db, 'incidents', [row('c')]);
  const rows = () => outbox.batch(db, 'incidents', { fromSeq: 1, limit: 10 }).map(({ seq, body }) => `${seq}${body}`);
  t.strictSame(rows(), ['1a', '2b', '3c']);
  t.equal(outbox.oldestAtMs(db, 'incidents'), 7);
  outbox.acknowledge(db, 'incidents', 2);
  outbox.acknowledge(db, 'incidents', 1);
  t.strictSame(rows(), ['3c']);
  t.match(outbox.lane(db, 'incidents'), { ackedThrough: 2, nextSeq: 4 });
  outbox.moveBehind(db, 'incidents', 50);
  t.strictSame(rows(), ['51c']);
  outbox.append(db, 'incidents', [row('d')]);
  t.strictSame(rows(), ['51c', '52d']);
  t.throws(() => outbox.append(db, 'receipts', [row('x')]), /not open/);
});

t.test('the first end of an order is its end', async (t) => {
  const ctx = applianceContext(t);
  const { db } = ctx;
  const agentId = addAgent(ctx);
  const order = {
    id: newId('ord'),
    agentId,
    action: 'run_check',
    params: {},
    actionRunId: null,
    relayOrderId: null,
    requestedBy: 'x',
    createdAtMs: 1,
    expiresAtMs: 9,
  };
  agentOrders.insert(db, order);
  t.equal(agentOrders.deliver(db, { id: order.id, atMs: 2 }), true);
  t.equal(agentOrders.deliver(db, { id: order.id, atMs: 2 }), false);
  t.equal(agentOrders.move(db, { id: order.id, state: 'done', atMs: 3 }), true);
  t.equal(agentOrders.move(db, { id: order.id, state: 'failed', atMs: 4 }), false);
  t.match(agentOrders.byId(db, order.id), { state: 'done', changedAtMs: 3 });
  t.strictSame(agentOrders.listDue(db, 100), []);
});

t.test('a stage does each row once, effects and cursor together', async (t) => {
  const ctx = applianceContext(t);
  const { db } = ctx;
  const id = addAgent(ctx);
  const add = (seq: number) => reports.insert(db, { source: id, seq, receivedAtMs: 0, body: Buffer.from('x') });
  let isBroken = true;
  let done: number[] = [];
  const stage = createStage({
    name: 'assess',
    ctx,
    batch: 2,
    wakeOn: ['report'],
    read: reports.since,
    run(rows) {
      for (const { seq } of rows) {
        agents.setAckedThrough(db, id, seq);
        if (isBroken && seq === 3) throw new Error('broken');
        done.push(seq);
      }
    },
  });
  for (const seq of [1, 2, 3, 4]) add(seq);
  await t.rejects(stage.settle(), /broken/);
  t.equal(readCursor(db, 'assess'), 2);
  t.equal(agents.ackedThrough(db, id), 2, 'the effects of the failed turn are undone');
  isBroken = false;
  done = [];
  await stage.start();
  t.teardown(() => stage.stop());
  await eventually('the rest is done', () => (readCursor(db, 'assess') === 4 ? true : undefined));
  add(5);
  ctx.signals.emit('report');
  await eventually('woken', () => (readCursor(db, 'assess') === 5 ? true : undefined));
  t.strictSame(done, [3, 4, 5]);
});

t.test('a stage that fails is tried again by itself', async (t) => {
  const ctx = applianceContext(t);
  const id = addAgent(ctx);
  reports.insert(ctx.db, { source: id, seq: 1, receivedAtMs: 0, body: Buffer.from('x') });
  let tries = 0;
  const stage = createStage({
    name: 'assess',
    ctx,
    wakeOn: [],
    read: reports.since,
    run() {
      tries += 1;
      if (tries < 3) throw new Error('not yet');
    },
  });
  await stage.start();
  t.teardown(() => stage.stop());
  await eventually('it worked', () => (readCursor(ctx.db, 'assess') === 1 ? true : undefined));
  t.equal((await ctx.metrics.stageFailures.get()).values[0]?.value, 2);
});

t.test('room is judged by the size of the disk, within bounds', async (t) => {
  const MIB = 1024 * 1024;
  const at = (totalMib: number, freeMib: number) => judgeRoom({ totalBytes: totalMib * MIB, freeBytes: freeMib * MIB });
  t.equal(at(64, 20), 'ample');
  t.equal(at(64, 9), 'thin');
  t.equal(at(64, 3), 'refuse');
  t.equal(at(500_000, 1100), 'ample', 'a large disk is not called full with a gigabyte left');
  t.equal(at(500_000, 255), 'refuse');
});
