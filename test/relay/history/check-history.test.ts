import fc from 'fast-check';
import t from 'tap';
import { changesOf, keyOf } from '../../../relay/history/check-changes.ts';
import { KEEP_CHANGES_MS, rollUp, timelinesOf } from '../../../relay/history/index.ts';
import { DAY_MS } from '../../../relay/history/seen.ts';
import { agentHistory, rmmOverlap } from '../../../relay/sites/index.ts';
import { type IngestRig, ingestRig } from '../../helpers/ingest-rig.ts';
import { seedPartner, seedSite, startTestRelay } from '../../helpers/relay.ts';
import { onBothEngines } from '../../helpers/relay-stores.ts';
import { outboxBody } from '../../helpers/sim-log.ts';
import { agentRow, checkRow } from '../../helpers/sim-rows.ts';

const STATUSES = ['pass', 'fail', 'unknown', 'not_applicable'] as const;
const AGENT = agentRow().id;
const time = fc.integer({ min: 0, max: 1000 });
const said = fc.array(fc.record({ status: fc.constantFrom(...STATUSES), sinceMs: time }), { maxLength: 30 });

t.test('only another status is a change, and each begins after the one before', async () => {
  fc.assert(
    fc.property(said, time, (list, receivedAtMs) => {
      const rows = list.map((row) => checkRow({ agentId: AGENT, check: 'firewall', subject: '', ...row }));
      const changes = changesOf(rows, new Map(), receivedAtMs);
      return changes.every((change, index) => {
        const last = changes[index - 1];
        return last === undefined || (last.status !== change.status && last.fromMs < change.fromMs);
      });
    }),
  );
});

t.test('a result that says the same again, or was never there and goes, is no change', async (t) => {
  const row = checkRow({ agentId: AGENT, check: 'firewall', subject: '', status: 'fail', sinceMs: 5 });
  const gone = { type: 'check_gone', agentId: AGENT, check: 'firewall', subject: '', atMs: 9 } as const;
  const before = new Map([[keyOf({ ...row, agentId: AGENT }), { status: 'fail', fromMs: 5 } as const]]);
  t.same(changesOf([row], before, 10), []);
  t.same(changesOf([gone], new Map(), 10), []);
  t.match(changesOf([row, gone], before, 10), [{ status: 'gone', fromMs: 9 }]);
  t.same(changesOf([checkRow({ agentId: null })], new Map(), 10), [], 'the box itself has no history');
  t.match(changesOf([row], new Map(), 3), [{ fromMs: 3 }], 'never later than it was heard of');
});

t.test('a timeline fills its window without gaps, whatever the changes', async () => {
  const changes = fc.array(fc.record({ status: fc.constantFrom(...STATUSES, 'gone'), fromMs: time }), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(changes, time, time, time, (list, a, b, heardMs) => {
      const [fromMs, toMs] = [Math.min(a, b), Math.max(a, b) + 1];
      const lines = timelinesOf(
        list.map((one) => ({ ...one, agentId: AGENT, check: 'firewall', subject: '' })),
        { fromMs, toMs, heardMs },
      );
      return lines.every(({ spans }) => {
        const isWhole = spans[0]?.fromMs === fromMs && spans.at(-1)?.toMs === toMs;
        const isTight = spans.every((span, index) => index === 0 || spans[index - 1]?.toMs === span.fromMs);
        const isSilent = spans.every(
          ({ status, toMs: end }) => status === 'not_known' || end <= Math.max(heardMs, fromMs),
        );
        return isWhole && isTight && isSilent;
      });
    }),
  );
});

t.test('after the agent was last heard nothing is known, and before the first result neither', async (t) => {
  const change = { agentId: AGENT, check: 'patches', subject: '', status: 'pass', fromMs: 20 };
  t.match(timelinesOf([change], { fromMs: 0, toMs: 100, heardMs: 60 }), [
    {
      spans: [
        { status: 'not_known', fromMs: 0, toMs: 20 },
        { status: 'pass', fromMs: 20, toMs: 60 },
        { status: 'not_known', fromMs: 60, toMs: 100 },
      ],
    },
  ]);
});

async function historyOf(rig: IngestRig, agentId: string, days = 90) {
  const { siteId, clock } = rig;
  return rig.within((trx) => agentHistory(trx, { siteId, agentId, days, nowMs: clock.nowMs() }));
}

t.test('on both engines', async (t) => {
  await onBothEngines(t, {
    'each change is kept once, shown for 90 days, and then goes': async (t, store) => {
      const rig = await ingestRig(store);
      const { clock } = rig;
      await rollUp(store, clock.nowMs());
      const agent = agentRow({ lastHeartbeatAtMs: clock.nowMs() });
      const at = (status: (typeof STATUSES)[number], sinceMs: number) =>
        checkRow({ agentId: agent.id, check: 'services', subject: 'cups\u0000d', status, sinceMs });
      const first = clock.nowMs() - 3 * DAY_MS;
      const rows = [agent, at('fail', first), at('fail', first), at('pass', first + DAY_MS)];
      await rig.ingest(outboxBody({ lane: 'telemetry', firstSeq: 1, rows }));
      await rig.ingest(outboxBody({ lane: 'telemetry', firstSeq: 1, rows: [...rows, at('pass', first + DAY_MS)] }));
      const kept = () =>
        rig.within((trx) => trx.selectFrom('check_history').select(['status', 'subject']).orderBy('from_ms').execute());
      t.same(await kept(), [
        { status: 'fail', subject: 'cups\ufffdd' },
        { status: 'pass', subject: 'cups\ufffdd' },
      ]);
      const { checks } = await historyOf(rig, agent.id);
      t.match(checks, [{ check: 'services' }]);
      t.match(
        checks[0]?.spans.map(({ status }) => status),
        ['not_known', 'fail', 'pass'],
      );
      t.match(checks[0]?.spans[1], { fromMs: first, toMs: first + DAY_MS });
      t.match((await historyOf(rig, agent.id, 1)).checks[0]?.spans[0], { status: 'pass' }, 'what held before counts');

      clock.advance(KEEP_CHANGES_MS);
      await rollUp(store, clock.nowMs());
      t.match(await kept(), [{ status: 'pass' }], 'what still holds stays');
      const gone = {
        type: 'check_gone',
        agentId: agent.id,
        check: 'services',
        subject: 'cups\u0000d',
        atMs: clock.nowMs(),
      } as const;
      await rig.ingest(outboxBody({ lane: 'telemetry', firstSeq: 6, rows: [gone] }));
      t.match(await kept(), [{ status: 'pass' }, { status: 'gone' }]);
      clock.advance(KEEP_CHANGES_MS + DAY_MS);
      await rollUp(store, clock.nowMs());
      t.same(await kept(), []);
    },

    'results of before there was a history are shown since they hold': async (t, store) => {
      const rig = await ingestRig(store);
      const agent = agentRow({ lastHeartbeatAtMs: rig.clock.nowMs() });
      const row = checkRow({ agentId: agent.id, status: 'pass', sinceMs: rig.clock.nowMs() - DAY_MS });
      await rig.ingest(outboxBody({ lane: 'telemetry', firstSeq: 1, rows: [agent, row] }));
      await rig.within((trx) => trx.deleteFrom('check_history').execute());
      t.match((await historyOf(rig, agent.id)).checks, [{ spans: [{ status: 'not_known' }, { status: 'pass' }] }]);
      await t.rejects(historyOf(rig, agentRow().id), { code: 'NOT_FOUND' });
    },

    'a workstation nobody looked at is not counted as clean': async (t, store) => {
      const rig = await ingestRig(store);
      const [tool, clean, never] = [agentRow({ hostname: 'b' }), agentRow({ hostname: 'a' }), agentRow()];
      const finding = { product: 'NinjaOne', version: '5.1', running: true, foundBy: 'service', sinceMs: 4 };
      const look = { type: 'rmm', lookedAtMs: 5 } as const;
      const rows = [
        ...[tool, clean, never],
        { ...look, agentId: tool.id, findings: [finding] },
        { ...look, agentId: clean.id, findings: [] },
      ];
      await rig.ingest(outboxBody({ lane: 'telemetry', firstSeq: 1, rows }));
      const report = await rig.within((trx) => rmmOverlap(trx, rig.siteId, rig.clock.nowMs()));
      t.match(report, { cleanCount: 1, neverLookedCount: 1, products: [{ product: 'NinjaOne', running: 1 }] });
      t.match(report.workstations, [
        { agentId: tool.id, tools: [{ version: '5.1' }], fights: [{ action: 'restart_service', certainty: 'likely' }] },
      ]);
    },
  });
});

t.test('all who view sites may read both, a technician may not', async (t) => {
  const relay = await startTestRelay((fn) => t.teardown(fn));
  const partnerId = await seedPartner(relay.store);
  const { siteId } = await seedSite(relay.store, partnerId);
  const agentId = agentRow().id;
  for (const role of ['admin', 'operator', 'readonly'] as const) {
    const staff = await relay.staff(partnerId, role);
    t.match(await staff.call('rmmOverlap', { params: { siteId } }), { status: 200, body: { workstations: [] } });
    t.equal((await staff.call('agentHistory', { params: { siteId, agentId } })).status, 404);
  }
  const technician = await relay.staff(partnerId, 'technician');
  t.equal((await technician.call('rmmOverlap', { params: { siteId } })).status, 403);
  t.equal((await technician.call('agentHistory', { params: { siteId, agentId } })).status, 403);
});
