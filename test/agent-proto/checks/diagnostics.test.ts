import { AGENT_LIMITS, type Facts, factsBytes } from '@sitewarden/agent-proto/agent';
import { DIAGNOSTICS, onlyDiagnostics } from '@sitewarden/agent-proto/checks';
import { compile, FactsObject } from '@sitewarden/agent-proto/http';
import fc from 'fast-check';
import t from 'tap';

const value = fc.oneof(
  fc.string({ maxLength: 300, unit: 'binary' }),
  fc.maxSafeInteger(),
  fc.double(),
  fc.boolean(),
  fc.array(fc.string({ maxLength: 200, unit: 'binary' }), { maxLength: 80 }),
);
const name = fc.oneof(fc.constantFrom(...Object.keys(DIAGNOSTICS)), fc.constantFrom('hostname', '__proto__', 'user'));
const facts = fc.array(fc.tuple(name, value), { maxLength: 60 }).map((pairs): Facts => Object.fromEntries(pairs));

t.test('whatever is given, only the closed set comes out, in bounds and without a path', async (t) => {
  const fits = compile(FactsObject);
  fc.assert(
    fc.property(facts, (given) => {
      const kept = onlyDiagnostics(given);
      for (const one of Object.keys(kept)) t.ok(Object.hasOwn(DIAGNOSTICS, one));
      t.notMatch(JSON.stringify(kept), /[/\\]/);
      t.equal(fits(kept).ok, true);
      t.strictSame(onlyDiagnostics(kept), kept, 'the next one to look changes nothing');
    }),
    { numRuns: 200 },
  );
});

t.test('what is true of an agent goes through unchanged, and the most there can be fits one receipt', async (t) => {
  const own: Facts = {
    agent_version: '0.1.0',
    os_version: 'Debian 12 (bookworm)',
    clock_offset_ms: -1200,
    queue_depth: 0,
    losses: ['too_old 12 2026-11-22T16:00:00.000Z'],
    required_services: ['getty@tty1.service'],
    unknown_checks: ['bitlocker PROBE_FAILED'],
  };
  t.same(onlyDiagnostics(own), own);
  t.strictSame(onlyDiagnostics({ queue_depth: -1, tier: 'high', checks: 'all', errors: 3, uptime_s: 1.5 }), {});
  const long = 'x'.repeat(1024);
  const most = Object.entries(DIAGNOSTICS).map(([one, kind]): [string, Facts[string]] => {
    if (kind === 'line') return [one, long];
    return [one, kind === 'lines' ? Array.from({ length: 64 }, () => long) : Number.MAX_SAFE_INTEGER];
  });
  const bytes = factsBytes(onlyDiagnostics(Object.fromEntries(most)));
  t.ok(bytes <= AGENT_LIMITS.maxFactsBytes, `${bytes} bytes`);
});
