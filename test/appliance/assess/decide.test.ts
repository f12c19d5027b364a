import { CHECK_NAMES, CHECK_STATUSES, SEVERITIES } from '@sitewarden/agent-proto/checks';
import { CheckRow, compile, IncidentRow } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import fc from 'fast-check';
import t from 'tap';
import { decide } from '../../../appliance/assess/decide.ts';
import { type Incoming, readResult } from '../../../appliance/assess/read-results.ts';
import type { Incident, ResultRow } from '../../../appliance/store/index.ts';
import { toCheckRow, toIncidentRow } from '../../../appliance/store/index.ts';
import { checkResult } from '../../helpers/reports.ts';

const SOURCE = newId('agt');
const T0 = Date.UTC(2026, 0, 1);

const incoming = fc
  .record({
    check: fc.constantFrom(...CHECK_NAMES),
    subject: fc.oneof(fc.constantFrom('', 'cron'), fc.string({ maxLength: 400 })),
    status: fc.constantFrom(...CHECK_STATUSES),
    severity: fc.constantFrom(...SEVERITIES),
    actual: fc.string({ maxLength: 1500 }),
    reason: fc.string({ unit: 'binary', maxLength: 1500 }),
    facts: fc.dictionary(fc.constantFrom('service', 'state', 'engine', 'sample'), fc.string({ maxLength: 1500 })),
    collectedAtMs: fc.maxSafeInteger(),
    receivedAtMs: fc.nat({ max: 365 * 24 * 3600 * 1000 }).map((ms) => T0 + ms),
  })
  .map(({ receivedAtMs, ...input }) => {
    return readResult(checkResult(input), { source: SOURCE, reportId: 1, receivedAtMs }) as Incoming;
  });

/** Carries the steps out on plain variables, as apply.ts does on rows. */
function play(results: readonly Incoming[]) {
  let latest: ResultRow | undefined;
  let incident: Incident | undefined;
  let opened = 0;
  for (const result of results) {
    const nowMs = result.receivedAtMs;
    for (const step of decide({ latest, incident, endedBefore: 0, result, host: 'host', isRetired: false, nowMs })) {
      if (step.kind === 'put_latest') latest = step.row;
      if (step.kind === 'open_incident') {
        if (incident !== undefined) throw new Error('two open incidents');
        opened += 1;
        incident = { ...step.incident, id: newId('inc'), evidenceSeq: null };
      }
      if (step.kind === 'change_incident') incident = step.incident;
      if (step.kind === 'resolve_incident') incident = undefined;
    }
  }
  return { latest, incident, opened };
}

const sameSubject = fc
  .array(incoming, { minLength: 1, maxLength: 40 })
  .map((list) => list.map((one) => ({ ...one, check: 'services' as const, subject: 'cron' })))
  .map((list) => list.sort((a, b) => a.receivedAtMs - b.receivedAtMs));

t.test('whatever comes in, the latest result and the incident agree', async (t) => {
  fc.assert(
    fc.property(sameSubject, (results) => {
      const { latest, incident } = play(results);
      if (latest === undefined) throw new Error('the first result is always taken');
      if (latest.status === 'fail') return incident !== undefined;
      if (latest.status === 'unknown') return true;
      return incident === undefined;
    }),
  );
  t.pass();
});

t.test('since never lies before the status it belongs to was first seen, nor after it was received', async (t) => {
  fc.assert(
    fc.property(sameSubject, (results) => {
      const { latest } = play(results);
      return latest !== undefined && latest.sinceMs <= latest.receivedAtMs;
    }),
  );
  t.pass();
});

t.test('whatever an agent sends, the rows that leave the box fit the schemas of the relay', async (t) => {
  const isCheckRow = compile(CheckRow);
  const isIncidentRow = compile(IncidentRow);
  fc.assert(
    fc.property(incoming, (result) => {
      const steps = decide({
        latest: undefined,
        incident: undefined,
        endedBefore: 0,
        result,
        host: 'h'.repeat(256),
        isRetired: false,
        nowMs: result.receivedAtMs,
      });
      for (const step of steps) {
        const check =
          step.kind === 'announce_result'
            ? isCheckRow(JSON.parse(JSON.stringify(toCheckRow(step.row))))
            : step.kind === 'open_incident'
              ? isIncidentRow(toIncidentRow({ ...step.incident, id: newId('inc'), evidenceSeq: null }))
              : undefined;
        if (check?.ok === false) throw new Error(`${step.kind} ${check.field} ${check.detail}`);
      }
    }),
    { numRuns: 300 },
  );
  t.pass();
});

t.test('a result repeated many times writes one stretch of history', async (t) => {
  fc.assert(
    fc.property(incoming, fc.integer({ min: 2, max: 20 }), (first, times) => {
      let latest: ResultRow | undefined;
      let stretches = 0;
      for (let i = 0; i < times; i++) {
        const result = { ...first, collectedAtMs: T0 + i, receivedAtMs: T0 + i };
        for (const step of decide({
          latest,
          incident: undefined,
          endedBefore: 0,
          result,
          host: '',
          isRetired: true,
          nowMs: T0,
        })) {
          if (step.kind === 'put_latest') latest = step.row;
          if (step.kind === 'start_run') stretches += 1;
        }
      }
      return stretches === 1;
    }),
  );
  t.pass();
});
