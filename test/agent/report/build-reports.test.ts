import { AGENT_LIMITS, Report } from '@sitewarden/agent-proto/agent';
import { CHECKS, type CheckName } from '@sitewarden/agent-proto/checks';
import fc from 'fast-check';
import t from 'tap';
import type { CheckOutcome } from '../../../agent/collect/index.ts';
import { buildReports } from '../../../agent/report/index.ts';

const outcome = (check: string, subject = '', facts = {}): CheckOutcome => ({
  check,
  subject,
  facts,
  status: 'fail',
  severity: 'high',
  expected: 'e',
  actual: 'a',
  reason: 'r',
  controls: [...(CHECKS[check as CheckName]?.controls ?? [])],
  collectedAtMs: 1,
  durationMs: 2,
});

t.test('a round fits one report, in order', async (t) => {
  const reports = buildReports({
    outcomes: [outcome('bitlocker'), outcome('services', 'cron')],
    rmm: [{ product: 'NinjaOne', version: '', running: true, foundBy: 'process' }],
    orderId: 'ord_1',
  });
  t.match(reports, [
    {
      orderId: 'ord_1',
      results: [
        { check: 'bitlocker', status: 2, severity: 4 },
        { check: 'services', subject: 'cron' },
      ],
      rmmFindings: [{ product: 'NinjaOne' }],
    },
  ]);
});

t.test('more results than a report may hold make several, each within the bounds of a message', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 700 }), fc.integer({ min: 0, max: 3000 }), (count, size) => {
      const outcomes = Array.from({ length: count }, (_, i) =>
        outcome('services', `s${i}`, { detail: 'x'.repeat(Math.min(size, 1024)), service: 'y'.repeat(size) }),
      );
      const reports = buildReports({ outcomes, rmm: [], orderId: '' });
      const names = reports.flatMap(({ results }) => results.map(({ subject }) => subject));
      return (
        names.length === count &&
        names.every((name, i) => name === `s${i}`) &&
        reports.every(({ results }) => results.length >= 1 && results.length <= AGENT_LIMITS.maxResultsPerReport) &&
        reports.every((report) => Report.encode({ ...report, seq: 1 }).finish().length < AGENT_LIMITS.maxMessageBytes)
      );
    }),
    { numRuns: 8 },
  );
  t.pass();
});

t.test('a check that the catalogue does not have travels alone', async (t) => {
  const reports = buildReports({ outcomes: [outcome('quantum'), outcome('firewall')], rmm: [], orderId: '' });
  t.strictSame(
    reports.map(({ results }) => results.map(({ check }) => check)),
    [['firewall'], ['quantum']],
  );
});

t.test('texts are cut to what the contract takes', async (t) => {
  const long = 'x'.repeat(5000);
  const [report] = buildReports({
    outcomes: [{ ...outcome('patches'), reason: long, actual: long }],
    rmm: [],
    orderId: '',
  });
  t.equal(report?.results[0]?.reason.length, AGENT_LIMITS.maxTextChars);
  t.equal(report?.results[0]?.actual.length, AGENT_LIMITS.maxTextChars);
});
