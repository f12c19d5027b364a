import { createLogVerifier, keyTurnFacts, readKeyTurn, snapshotFacts } from '@sitewarden/agent-proto/evidence';
import { fingerprint, generateEd25519, privateKeyFromPem, rawPublicKey, sign } from '@sitewarden/agent-proto/keys';
import { verifierOf, verifyCheckpoint } from '@sitewarden/agent-proto/note';
import { isTransitionSigned, keyInForce, transitionBytes } from '@sitewarden/agent-proto/rotation';
import t from 'tap';
import { SimLog } from '../helpers/sim-log.ts';

const ORIGIN = 'relay.test/a/app_aaaaaaaaaaaaaaaaaaaaaaaaaa/1';
const newKey = () => privateKeyFromPem(generateEd25519().privateKeyPem);

function world() {
  const [first, second, third] = [newKey(), newKey(), newKey()] as const;
  const log = new SimLog(ORIGIN, first).append(3);
  const reader = () => createLogVerifier({ origin: ORIGIN, evk: rawPublicKey(first) });
  return { first, second, third, log, reader };
}

t.test('a log whose key changed twice is read from its first key alone', async (t) => {
  const { first, second, third, log, reader } = world();
  log.turnTo(second).append(2).turnTo(third).append(2);
  const read = reader();
  for (const [seq, row] of log.rows.entries()) t.match(read.next(row), { ok: true, statement: { predicate: { seq } } });
  t.strictSame(
    read.keys.turns.map(({ seq }) => seq),
    [3, 6],
  );
  const signers = [first, first, first, second, second, second, third, third, third].map(rawPublicKey);
  for (const [index, publicKey] of signers.entries()) {
    const size = index + 1;
    t.equal(read.checkpointKey(size), publicKey, `the checkpoint of ${size} entries`);
    const key = [first, second, third].find((one) => rawPublicKey(one) === publicKey) as typeof first;
    t.equal(verifyCheckpoint(log.checkpoint(size, { key }), [verifierOf({ name: ORIGIN, publicKey })]).size, size);
  }
  t.equal(fingerprint(keyInForce(read.keys, 3)), fingerprint(rawPublicKey(first)), 'the old key signs the change');
});

t.test(
  'entries under a key nobody handed over to are refused, and so are those under the old one afterwards',
  async (t) => {
    const { first, second, log, reader } = world();
    const read = reader();
    for (const row of log.rows) read.next(row);
    const early = log.makeEntry(3, {}, { key: second });
    t.match(read.next(early), { ok: false, code: 'EVIDENCE_SIGNATURE' });
    log.turnTo(second);
    t.match(read.next(log.rows[3] as Buffer), { ok: true, nextKey: rawPublicKey(second) });
    t.match(read.next(log.makeEntry(4, {}, { key: first })), { ok: false, code: 'EVIDENCE_SIGNATURE' });
    t.match(read.next(log.makeEntry(4)), { ok: true }, 'the honest next one is taken');
  },
);

t.test('a change only one of the two keys signed is refused', async (t) => {
  const { first, second, third, log, reader } = world();
  const cases = {
    'by the old key alone': log.makeTurn(second, { signedBy: first }),
    'by a stranger for the new one': log.makeTurn(second, { signedBy: third }),
    'from another key than the one in force': log.makeTurn(second, { oldKey: rawPublicKey(third) }),
    'to itself': log.makeTurn(first),
  };
  for (const [name, row] of Object.entries(cases)) {
    const read = reader();
    for (const before of log.rows) read.next(before);
    t.match(read.next(row), { ok: false, code: 'EVIDENCE_TRANSITION' }, name);
  }
  const read = reader();
  for (const before of log.rows) read.next(before);
  t.match(
    read.next(log.makeTurn(second, { key: second })),
    { ok: false, code: 'EVIDENCE_SIGNATURE' },
    'by the new alone',
  );
  t.match(read.next(log.makeTurn(second)), { ok: true }, 'by both');
});

t.test('a key that was in force does not come back', async (t) => {
  const { first, second, log, reader } = world();
  log.turnTo(second).turnTo(first);
  const read = reader();
  const verdicts = log.rows.map((row) => read.next(row));
  t.match(verdicts.at(-1), { ok: false, code: 'EVIDENCE_TRANSITION', detail: /in force before/ });
});

t.test('facts that are not those of the digest, or say more, hand nothing over', async (t) => {
  const { first, second } = world();
  const [oldKey, next] = [rawPublicKey(first), rawPublicKey(second)];
  const bytes = transitionBytes({ key: 'evk', owner: ORIGIN, oldKey, newKey: next });
  const newSignature = Buffer.from(sign(second, bytes)).toString('base64url');
  const facts = keyTurnFacts({ oldKey, newKey: next, newSignature });
  const judge = (after: Parameters<typeof readKeyTurn>[0]['after']) =>
    readKeyTurn({ after }, { origin: ORIGIN, evk: oldKey });
  t.match(judge(snapshotFacts(facts)), { ok: true, newKey: next });
  t.match(judge(null), { ok: false });
  t.match(judge({ digest: '0'.repeat(64), facts }), { ok: false, detail: /digest/ });
  t.match(judge(snapshotFacts({ ...facts, note: 'x' })), { ok: false });
  t.match(judge(snapshotFacts({ old_key: oldKey, new_key: next })), { ok: false });
  const elsewhere = readKeyTurn({ after: snapshotFacts(facts) }, { origin: `${ORIGIN}2`, evk: oldKey });
  t.match(elsewhere, { ok: false, detail: /did not sign/ }, 'a change of another log');
});

t.test('a transition is signed for one kind of key and one owner, and bad text is just not a signature', async (t) => {
  const { first, second } = world();
  const turn = { key: 'dik', owner: 'app_1', oldKey: rawPublicKey(first), newKey: rawPublicKey(second) } as const;
  const signature = Buffer.from(sign(first, transitionBytes(turn))).toString('base64url');
  t.equal(isTransitionSigned(turn, 'old', signature), true);
  t.equal(isTransitionSigned(turn, 'new', signature), false);
  t.equal(isTransitionSigned({ ...turn, key: 'evk' }, 'old', signature), false);
  t.equal(isTransitionSigned({ ...turn, owner: 'app_2' }, 'old', signature), false);
  t.equal(isTransitionSigned(turn, 'old', `${signature}=`), false);
  t.equal(isTransitionSigned({ ...turn, oldKey: 'nothing' }, 'old', signature), false);
});
