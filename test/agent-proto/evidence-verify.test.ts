import {
  buildStatement,
  createEntryVerifier,
  createEntryVerifierAsync,
  type EvidencePredicate,
  type EvidenceStatement,
  FactsSnapshot,
  snapshotFacts,
} from '@sitewarden/agent-proto/evidence';
import { compile, PAYLOAD_TYPES } from '@sitewarden/agent-proto/http';
import { generateEd25519, privateKeyFromPem, publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import fc from 'fast-check';
import t from 'tap';
import { envelopeOf } from '../helpers/sim-log.ts';

const pair = generateEd25519();
const evk = privateKeyFromPem(pair.privateKeyPem);
const publicKey = publicKeyFromRaw(pair.publicKey);
const place = { origin: 'relay.test/a/app/1', seq: 3, prev: 'ab'.repeat(32) };

const predicate = (over: Partial<EvidencePredicate> = {}): EvidencePredicate => ({
  seq: place.seq,
  prev: place.prev,
  bootId: 'boot',
  monotonicMs: 1,
  wallTimeMs: 2,
  timeQuality: 'synced',
  kind: 'incident_opened',
  actor: { type: 'system', id: 'box' },
  target: { agentId: null, host: 'front-1', check: 'services', subject: 'cron' },
  incidentId: null,
  orderId: null,
  rule: null,
  action: null,
  before: null,
  after: null,
  outcome: { code: 'open', text: 'cron is inactive' },
  controls: [],
  ...over,
});

const rowOf = (statement: object) => envelopeOf(evk, PAYLOAD_TYPES.evidence, statement);
const verify = createEntryVerifier(publicKey);
const verifyAsync = createEntryVerifierAsync(publicKey);

t.test('whatever an honest predicate says, both verifiers take it', async () => {
  const tricky = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.constantFrom(',"predicateType":"', '","subject":[{"digest":{"sha256":"', '\\"}]}', '{"_type":"'),
  );
  await fc.assert(
    fc.asyncProperty(tricky, tricky, async (text, host) => {
      const statement = buildStatement(
        place.origin,
        predicate({ outcome: { code: 'open', text }, target: { ...predicate().target, host } }),
      );
      const row = rowOf(statement);
      return verify(row, place).ok && (await verifyAsync(row, place)).ok;
    }),
    { numRuns: 150 },
  );
});

t.test('facts are integers, booleans, strings and lists of strings, in their one canonical form', async (t) => {
  const facts = { reboot_required: false, active: true, pending_total: 7, manager: 'apt', engines_found: ['ClamAV'] };
  const row = rowOf(buildStatement(place.origin, predicate({ after: snapshotFacts(facts) })));
  const verdict = verify(Buffer.from(row), place);
  t.strictSame(verdict.ok && verdict.statement.predicate.after?.facts, facts);
  const isValid = compile(FactsSnapshot);
  const digest = 'ab'.repeat(32);
  t.equal(isValid({ digest, facts }).ok, true);
  for (const odd of [null, 0.5, { a: 1 }, [1], 2 ** 53])
    t.equal(isValid({ digest, facts: { odd } }).ok, false, `${odd}`);
});

t.test('a digest that is not that of the predicate is refused', async (t) => {
  const honest = buildStatement(place.origin, predicate());
  const lying: EvidenceStatement = {
    ...honest,
    subject: [{ name: honest.subject[0]?.name ?? '', digest: { sha256: 'cd'.repeat(32) } }],
  };
  const refused = { ok: false, code: 'EVIDENCE_SCHEMA', detail: '/subject/0/digest' };
  t.same(verify(rowOf(lying), place), refused);
  t.same(await verifyAsync(rowOf(lying), place), refused);
  // The digest of another predicate with the same place.
  const other = buildStatement(place.origin, predicate({ wallTimeMs: 3 }));
  t.same(verify(rowOf({ ...honest, subject: other.subject }), place), refused);
});

t.test('both verifiers name the same fault', async (t) => {
  const honest = buildStatement(place.origin, predicate());
  const other = privateKeyFromPem(generateEd25519().privateKeyPem);
  const rows: [string, Buffer][] = [
    ['EVIDENCE_FORMAT', Buffer.from('{}')],
    ['EVIDENCE_FORMAT', Buffer.alloc(60_001, 'x')],
    ['EVIDENCE_FORMAT', envelopeOf(evk, PAYLOAD_TYPES.receipt, honest)],
    ['EVIDENCE_SIGNATURE', envelopeOf(other, PAYLOAD_TYPES.evidence, honest)],
    ['EVIDENCE_SCHEMA', rowOf({ ...honest, patient: 'x' })],
    ['EVIDENCE_SEQ', rowOf(buildStatement(place.origin, predicate({ seq: 4 })))],
    ['EVIDENCE_FOREIGN', rowOf(buildStatement('relay.test/a/other/1', predicate()))],
    ['EVIDENCE_PREV', rowOf(buildStatement(place.origin, predicate({ prev: 'ef'.repeat(32) })))],
  ];
  for (const [code, row] of rows) {
    t.match(verify(row, place), { ok: false, code });
    t.same(await verifyAsync(row, place), verify(row, place));
  }
});
