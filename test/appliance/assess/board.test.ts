import { isDeepStrictEqual } from 'node:util';
import type { Facts } from '@sitewarden/agent-proto/agent';
import fc from 'fast-check';
import t from 'tap';
import { createAssess } from '../../../appliance/assess/index.ts';
import { sameFacts } from '../../../appliance/assess/same.ts';
import { agents, openIncidentOf, reports, updateIncident } from '../../../appliance/store/index.ts';
import { applianceContext, START_MS, type TestContext } from '../../helpers/appliance-context.ts';
import { checkResult, encodeReport } from '../../helpers/reports.ts';

const SOURCE = `agt_${'a'.repeat(26)}`;

interface Step {
  subject: string;
  status: 'pass' | 'fail' | 'unknown';
  severity: 'low' | 'high';
  state: string;
  atMs: number;
}

const steps = fc.array(
  fc.record<Step>({
    subject: fc.constantFrom('cron', 'sshd'),
    status: fc.constantFrom('pass', 'fail', 'unknown'),
    severity: fc.constantFrom('low', 'high'),
    state: fc.constantFrom('stopped', 'running'),
    atMs: fc.integer({ min: 0, max: 2_000_000 }),
  }),
  { minLength: 1, maxLength: 40 },
);

function siteWith(t: Parameters<typeof applianceContext>[0]) {
  const ctx = applianceContext(t);
  const host = { hostname: 'desk', osFamily: 'linux', osVersion: 'Debian 12', agentVersion: '0.1.0' };
  agents.insert(ctx.db, { id: SOURCE, host, tier: 1, enrolledAtMs: START_MS });
  return { ctx, assess: createAssess(ctx) };
}

function send(ctx: TestContext, seq: number, { subject, status, severity, state, atMs }: Step): void {
  const facts: Facts = { service: subject, manager: 'sysv', state };
  const result = checkResult({ subject, status, severity, actual: state, facts, collectedAtMs: START_MS + atMs });
  const body = encodeReport(seq, [result, result]);
  reports.insert(ctx.db, { source: SOURCE, seq, receivedAtMs: START_MS + atMs, body });
}

/** Everything assessing wrote, without the random ids. */
function written({ db }: TestContext) {
  const all = (sql: string) => db.prepare(sql).all();
  return {
    latest: all('SELECT * FROM result_latest ORDER BY source, check_name, subject'),
    history: all('SELECT * FROM result_history ORDER BY id'),
    incidents:
      all(`SELECT source, host, check_name, subject, severity, title, reason, next_step, state, controls, facts,
      opened_at_ms, changed_at_ms, resolved_at_ms FROM incident ORDER BY rowid`),
    changes: all(`SELECT kind, json_remove(body, '$.id', '$.row.id') AS body FROM change ORDER BY id`),
  };
}

t.test('many reports in one turn leave the very rows that one report a turn leaves', async (t) => {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const [together, apart] = [siteWith(t), siteWith(t)];
      for (const [index, step] of list.entries()) send(together.ctx, index + 1, step);
      await together.assess.settle();
      for (const [index, step] of list.entries()) {
        send(apart.ctx, index + 1, step);
        await apart.assess.settle();
      }
      const rows = [written(together.ctx), written(apart.ctx)] as const;
      together.ctx.db.close();
      apart.ctx.db.close();
      return isDeepStrictEqual(rows[0], rows[1]);
    }),
    { numRuns: 25 },
  );
});

t.test('an incident that another part changed between two turns is read anew', async (t) => {
  const { ctx, assess } = siteWith(t);
  const step: Step = { subject: 'cron', status: 'fail', severity: 'high', state: 'stopped', atMs: 0 };
  const key = { source: SOURCE, check: 'services', subject: 'cron' } as const;
  send(ctx, 1, step);
  await assess.settle();
  const incident = openIncidentOf(ctx.db, key)!;
  updateIncident(ctx.db, { ...incident, state: 'healing', nextStep: 'Wait for the repair.', ruleId: 'rule' });
  send(ctx, 2, { ...step, severity: 'low', atMs: 1000 });
  await assess.settle();
  t.match(openIncidentOf(ctx.db, key), { state: 'healing', nextStep: 'Wait for the repair.', severity: 'low' });
});

t.test('a turn that fails forgets what it had not committed', async (t) => {
  const { ctx, assess } = siteWith(t);
  const step: Step = { subject: 'cron', status: 'pass', severity: 'low', state: 'running', atMs: 0 };
  send(ctx, 1, step);
  await assess.settle();
  ctx.db.exec(`CREATE TRIGGER fail BEFORE INSERT ON incident BEGIN SELECT raise(ABORT, 'no'); END`);
  send(ctx, 2, { ...step, status: 'fail', state: 'stopped', atMs: 1000 });
  await t.rejects(assess.settle());
  ctx.db.exec('DROP TRIGGER fail');
  await assess.settle();
  t.match(openIncidentOf(ctx.db, { source: SOURCE, check: 'services', subject: 'cron' }), { state: 'open' });
  t.equal(written(ctx).history.length, 2);
});

t.test('facts are compared as deep equality does', (t) => {
  const value = fc.oneof(
    fc.constantFrom('a', 'b'),
    fc.constantFrom(0, 1),
    fc.boolean(),
    fc.array(fc.constantFrom('a', 'b')),
  );
  const facts = fc.dictionary(fc.constantFrom('x', 'y', 'z'), value, { noNullPrototype: true });
  fc.assert(fc.property(facts, facts, (a, b) => sameFacts(a, b) === isDeepStrictEqual(a, b)));
  fc.assert(fc.property(facts, (a) => sameFacts(a, structuredClone(a))));
  t.end();
});
