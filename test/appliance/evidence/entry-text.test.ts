import { canonicalBytes } from '@sitewarden/agent-proto/canonical';
import { buildStatement, ENTRY_KINDS, type EvidencePredicate, snapshotFacts } from '@sitewarden/agent-proto/evidence';
import fc from 'fast-check';
import t from 'tap';
import { type EntryDraft, piecesOf, snapshotOf, statementText } from '../../../appliance/evidence/entry-text.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 40 }).map((value) => value.toWellFormed());
const facts = fc.dictionary(
  fc.stringMatching(/^[a-z][a-z0-9_]{0,10}$/),
  fc.oneof(
    text,
    fc.maxSafeInteger().map((n) => n + 0),
    fc.boolean(),
    fc.array(text, { maxLength: 4 }),
  ),
  { maxKeys: 8, noNullPrototype: true },
);
const snapshot = fc.option(facts.map(snapshotOf));
const count = fc.nat();

const draft: fc.Arbitrary<EntryDraft> = fc.record({
  bootId: text,
  monotonicMs: count,
  wallTimeMs: count,
  timeQuality: fc.constantFrom('synced' as const, 'relay' as const, 'unsynced' as const),
  kind: fc.constantFrom(...ENTRY_KINDS),
  actor: fc.record({ type: fc.constantFrom('rule' as const, 'staff' as const), id: text }),
  target: fc.record({
    agentId: fc.option(text),
    host: text,
    check: fc.option(fc.constantFrom('services' as const, 'firewall' as const)),
    subject: text,
  }),
  incidentId: fc.option(text),
  orderId: fc.option(text),
  rule: fc.option(fc.record({ id: text, version: count, digest: text })),
  action: fc.option(fc.record({ name: text, runId: fc.option(text), params: facts })),
  before: snapshot,
  after: snapshot,
  outcome: fc.record({ code: text, text }),
  controls: fc.array(text, { maxLength: 4 }),
});

t.test('the text is byte for byte what the contract calls canonical', async () => {
  fc.assert(
    fc.property(draft, count, text, fc.constantFrom('', 'ab'.repeat(32)), (entry, seq, origin, prev) => {
      const predicate: EvidencePredicate = { ...entry, seq, prev };
      const expected = Buffer.from(canonicalBytes(buildStatement(origin, predicate))).toString('utf8');
      return statementText(piecesOf(entry), { origin, seq, prev }) === expected;
    }),
    { numRuns: 1000 },
  );
});

t.test('a snapshot carries the digest the contract gives it', async () => {
  fc.assert(fc.property(facts, (value) => snapshotOf(value).digest === snapshotFacts(value).digest));
});
