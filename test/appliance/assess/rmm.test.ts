import { Report } from '@sitewarden/agent-proto/agent';
import { newId } from '@sitewarden/kit/ids';
import t from 'tap';
import { createAssess } from '../../../appliance/assess/index.ts';
import { rmmAfter } from '../../../appliance/assess/rmm.ts';
import { agents, changes, latestRmm, reports } from '../../../appliance/store/index.ts';
import { sixResults } from '../../helpers/agent-client.ts';
import { applianceContext } from '../../helpers/appliance-context.ts';

const tool = (product: string, more: object = {}) => ({
  product,
  version: '1.0',
  running: true,
  foundBy: 'service',
  ...more,
});

t.test('a tool keeps the time it was first found at; what is gone is gone; nothing new says nothing', async (t) => {
  const look = (found: ReturnType<typeof tool>[], atMs: number) => ({ agentId: 'agt_a', found, atMs });
  const first = rmmAfter(undefined, look([tool('TeamViewer')], 10))!;
  t.match(first.findings, [{ product: 'TeamViewer', sinceMs: 10 }]);
  t.equal(rmmAfter(first, look([tool('TeamViewer')], 20)), undefined);
  const second = rmmAfter(first, look([tool('TeamViewer', { running: false }), tool('AnyDesk')], 30))!;
  t.match(second.findings, [
    { product: 'AnyDesk', sinceMs: 30 },
    { product: 'TeamViewer', running: false, sinceMs: 10 },
  ]);
  t.match(rmmAfter(second, look([], 40)), { findings: [] });
  t.match(rmmAfter(undefined, look([], 40)), { findings: [] }, 'the first look says that there is none');
  const twice = rmmAfter(
    undefined,
    look([tool('A', { running: false }), tool('A'), tool('A', { running: false })], 1),
  )!;
  t.match(twice.findings, [{ running: true }]);
  t.equal(twice.findings.length, 1);
});

t.test('a report of somebody who looked is kept and told; one of somebody who did not changes nothing', async (t) => {
  const ctx = applianceContext(t);
  const agentId = newId('agt');
  const host = { hostname: 'desk', osFamily: 'linux', osVersion: '', agentVersion: '0' };
  agents.insert(ctx.db, { id: agentId, host, tier: 0, enrolledAtMs: 1 });
  const assess = createAssess(ctx);
  let seq = 0;
  const report = async (rmmLooked: boolean, products: string[]) => {
    seq += 1;
    const rmmFindings = products.map((product) => tool(product));
    const body = Report.encode({ ...sixResults(seq, ctx.clock.nowMs()), rmmFindings, rmmLooked }).finish();
    reports.insert(ctx.db, { source: agentId, seq, receivedAtMs: ctx.clock.nowMs(), body });
    await assess.settle();
  };
  const told = () => changes.since(ctx.db, 0, { limit: 1000 }).filter(({ kind }) => kind === 'rmm_changed');
  await report(true, ['AnyDesk']);
  t.match(latestRmm(ctx.db, agentId), { findings: [{ product: 'AnyDesk' }] });
  await report(false, []);
  await report(true, ['AnyDesk']);
  t.match(latestRmm(ctx.db, agentId), { findings: [{ product: 'AnyDesk' }] });
  t.equal(told().length, 1);
  await report(true, []);
  t.strictSame(latestRmm(ctx.db, agentId)?.findings, []);
  t.equal(told().length, 2);
  t.strictSame(told()[1]!.body, latestRmm(ctx.db, agentId));
});
