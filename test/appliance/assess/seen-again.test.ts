import { type CheckResult, encodeFacts, type Facts } from '@sitewarden/agent-proto/agent';
import { CHECK_STATUSES, SEVERITIES } from '@sitewarden/agent-proto/checks';
import { newId } from '@sitewarden/kit/ids';
import fc from 'fast-check';
import t from 'tap';
import { ANNOUNCE_EVERY_MS, type AssessStep, decide, seenAgain } from '../../../appliance/assess/decide.ts';
import { type ResultOrigin, readResult } from '../../../appliance/assess/read-results.ts';
import { saysTheSame } from '../../../appliance/assess/same.ts';
import type { Incident, ResultRow } from '../../../appliance/store/index.ts';
import { checkResult } from '../../helpers/reports.ts';

const SOURCE = newId('agt');
const T0 = Date.UTC(2026, 0, 1);

const text = fc.constantFrom(
  'idle',
  'busy',
  '',
  'running',
  'stopped',
  'a\u0000b',
  'x'.repeat(1024),
  'x'.repeat(1500),
  '\u{1F600}',
);
const facts = fc.constantFrom<Facts>(
  {},
  { service: 'cron' },
  { service: 'cron', state: 'running' },
  { state: 'running', service: 'cron' },
  { service: 'cron', state: 'stopped' },
  { service: 'cron', unheard_of: 'x' },
  { service: ['cron'] },
  { service: 1 },
  { service: 'c\u0000ron' },
);
const fields = {
  subject: fc.constantFrom('cron', 'cron', 'cron', 'cr\u0000on'),
  status: fc.constantFrom('pass' as const, 'pass' as const, ...CHECK_STATUSES),
  severity: fc.constantFrom(...SEVERITIES.slice(0, 2)),
  actual: text,
  reason: text,
  facts,
  collectedAtMs: fc.integer({ min: T0 - 1, max: T0 + 1 }),
};
type Fields = { [K in keyof typeof fields]: (typeof fields)[K] extends fc.Arbitrary<infer V> ? V : never };

const wireOf = ({ facts, ...input }: Fields): CheckResult => ({
  ...checkResult({ check: 'services', ...input }),
  facts: encodeFacts(facts),
});

/** The result again, as it is or with some of its fields of another one. */
const again = (result: Fields): fc.Arbitrary<Fields> =>
  fc.record(fields, { requiredKeys: [] }).map((other) => ({ ...result, ...other }));
const withOneFieldChanged = (result: Fields): fc.Arbitrary<Fields> =>
  fc.oneof(
    ...Object.entries(fields).map(([name, values]) =>
      fc.record({ [name]: values }).map((one) => ({ ...result, ...one })),
    ),
  );

const history = fc
  .record(fields)
  .chain((first) => fc.tuple(fc.array(again(first), { maxLength: 3 }), fc.constant(first), withOneFieldChanged(first)));

/** What is known after the results, by the long way. */
function afterAll(results: readonly CheckResult[]): { latest: ResultRow | undefined; incident: Incident | undefined } {
  let latest: ResultRow | undefined;
  let incident: Incident | undefined;
  results.forEach((result, at) => {
    for (const step of steps(result, { latest, incident, at })) {
      if (step.kind === 'put_latest') latest = step.row;
      if (step.kind === 'open_incident') incident = { ...step.incident, id: newId('inc'), evidenceSeq: null };
      if (step.kind === 'change_incident') incident = step.incident;
      if (step.kind === 'resolve_incident') incident = undefined;
    }
  });
  return { latest, incident };
}

interface Known {
  latest: ResultRow | undefined;
  incident: Incident | undefined;
  at: number;
}

const originOf = (at: number): ResultOrigin => ({ source: SOURCE, reportId: at + 1, receivedAtMs: T0 + at });

function steps(result: CheckResult, { latest, incident, at }: Known): AssessStep[] {
  const from = originOf(at);
  const incoming = readResult(result, from)!;
  const input = { latest, incident, endedBefore: 0, host: 'host', isRetired: false };
  return decide({ ...input, result: incoming, nowMs: from.receivedAtMs });
}

t.test('a result that is only confirmed is one the decider would only have confirmed', async (t) => {
  let confirmed = 0;
  fc.assert(
    fc.property(history, ([before, said, saidAgain]) => {
      const { latest, incident } = afterAll([...before, said].map(wireOf));
      const result = wireOf(saidAgain);
      const at = 5;
      if (latest === undefined || !saysTheSame(latest, result)) return;
      const { receivedAtMs, reportId } = originOf(at);
      const { collectedAtMs } = readResult(result, originOf(at))!;
      const row = seenAgain(latest, incident, { receivedAtMs, reportId, collectedAtMs });
      if (row === undefined) return;
      confirmed += 1;
      t.strictSame(steps(result, { latest, incident, at }), [
        { kind: 'put_latest', row },
        { kind: 'extend_run', row },
      ]);
    }),
    { numRuns: 5000 },
  );
  t.ok(confirmed > 100, `${confirmed} were confirmed`);
});

t.test('the decider is asked about whatever may mean more', async (t) => {
  const good = checkResult({ check: 'services', subject: 'cron', status: 'pass', collectedAtMs: T0 });
  const { latest } = afterAll([good]);
  const times = { receivedAtMs: T0 + 1, collectedAtMs: T0 + 1, reportId: 9 };
  t.ok(seenAgain(latest!, undefined, times), 'the control is confirmed');
  t.notOk(saysTheSame(latest!, { ...good, check: 'firewall' }), 'another check');
  t.notOk(saysTheSame(latest!, { ...good, subject: 'sshd' }), 'another subject');
  t.notOk(saysTheSame(latest!, { ...good, controls: ['X'] }), 'other controls');
  t.notOk(saysTheSame(latest!, { ...good, expected: 'more' }), 'another expectation');
  t.equal(seenAgain(latest!, undefined, { ...times, collectedAtMs: T0 - 1 }), undefined, 'out of order');
  const later = T0 + ANNOUNCE_EVERY_MS;
  t.equal(seenAgain(latest!, undefined, { ...times, receivedAtMs: later }), undefined, 'to be told again');
  const bad = afterAll([checkResult({ check: 'services', subject: 'cron', status: 'fail', collectedAtMs: T0 })]);
  t.equal(seenAgain(bad.latest!, bad.incident, times), undefined, 'a fault');
  t.equal(seenAgain(latest!, bad.incident, times), undefined, 'the end of an incident');
});
