import { newId } from '@sitewarden/kit/ids';
import type { Test } from 'tap';
import t from 'tap';
import { createRelayClock } from '../../../appliance/lib/relay-clock.ts';
import { agents, certificates, createRetention, enrollTokens } from '../../../appliance/store/index.ts';
import { sixResults } from '../../helpers/agent-client.ts';
import { applianceContext, START_MS } from '../../helpers/appliance-context.ts';
import { call, startIntake } from '../helpers/intake-fixture.ts';

const DAY_MS = 86_400_000;
const AHEAD_MS = 730 * DAY_MS;
const HOST = { hostname: 'a', osFamily: 'linux', osVersion: '', agentVersion: '' };

/** Two agents, one of them removed, each with a certificate that was renewed once; all of it is good until next month. */
function setUp(t: Test) {
  const { db, log, clock: system } = applianceContext(t);
  const clock = createRelayClock(system, { notBeforeMs: 0 });
  const retention = createRetention({ db, log, clock });
  const [active, removed] = [newId('agt'), newId('agt')];
  for (const id of [active, removed]) agents.insert(db, { id, host: HOST, tier: 0, enrolledAtMs: START_MS });
  agents.remove(db, { id: removed, atMs: START_MS });
  const notAfterMs = START_MS + 30 * DAY_MS;
  for (const serial of ['a1', 'a2']) certificates.insert(db, { serial, agentId: active, notAfterMs });
  for (const serial of ['b1', 'b2']) certificates.insert(db, { serial, agentId: removed, notAfterMs });
  enrollTokens.insert(db, { hash: Buffer.alloc(32), createdAtMs: START_MS, expiresAtMs: START_MS + DAY_MS });
  db.prepare(
    `INSERT INTO agent_order (id, agent_id, action, params, requested_by, created_at_ms, expires_at_ms, state, changed_at_ms)
      VALUES ('o', ?, 'run_check', '{}', 'Ada', 1, 1, 'done', 1)`,
  ).run(active);
  return {
    clock,
    system,
    async turn() {
      retention.start?.();
      await retention.stop?.();
    },
    left: () => ({
      serials: db.prepare('SELECT serial FROM agent_certificate ORDER BY serial').pluck().all(),
      tokens: db.prepare('SELECT count(*) FROM enroll_token').pluck().get(),
      orders: db.prepare('SELECT count(*) FROM agent_order').pluck().get(),
    }),
  };
}

t.test('nothing goes by a clock nobody vouches for; what is old by the true time goes then', async (t) => {
  const { clock, system, turn, left } = setUp(t);
  const all = { serials: ['a1', 'a2', 'b1', 'b2'], tokens: 1, orders: 1 };
  system.move(AHEAD_MS);
  await turn();
  t.strictSame(left(), all, 'ahead, and the relay was not heard yet');
  clock.take(START_MS, 10);
  await turn();
  t.strictSame(left(), { ...all, orders: 0 }, 'by the true time only the order is old');
});

t.test('the last certificate of an agent stays, however old: a removed one is told so by it', async (t) => {
  const { clock, system, turn, left } = setUp(t);
  system.move(AHEAD_MS);
  clock.setSynced(true);
  await turn();
  t.strictSame(left(), { serials: ['a2', 'b2'], tokens: 0, orders: 0 });
});

t.test('a workstation gets in after a boot with the clock two years ahead', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  const { db, log, clock } = fixture.ctx;
  clock.move(AHEAD_MS);
  const retention = createRetention({ db, log, clock: createRelayClock(clock, { notBeforeMs: 0 }) });
  retention.start?.();
  await retention.stop?.();
  clock.move(-AHEAD_MS);
  await call((done) => fixture.client(identity).pushReport({ report: sixResults(1) }, done));
});
