import { consistencyProof, leafHash, rootOf } from '@sitewarden/agent-proto/merkle';
import {
  appendSignatures,
  checkpointText,
  cosign,
  encodeAddCheckpoint,
  encodeVkey,
  MAX_PROOF_LINES,
  NOTE_KEY_TYPES,
  parseAddCheckpoint,
  parseCheckpoint,
  parseVkey,
  signCheckpoint,
  signNote,
  verifierOf,
  verifyCheckpoint,
  verifyCosignature,
  verifyNote,
} from '@sitewarden/agent-proto/note';
import fc from 'fast-check';
import t from 'tap';
import vectors from '../../agent-proto/fixtures/vectors/signed-note.json' with { type: 'json' };
import { testKey } from './keys-fixture.ts';

const { cosigned } = vectors;
const log = testKey(1);
const witness = testKey(2);
const origin = 'relay.example/a/box/1';
const witnessName = 'relay.example/witness';
const root = Buffer.alloc(32, 7);
const root64 = root.toString('base64');
const logVerifier = verifierOf({ name: origin, publicKey: log.raw });
const witnessVerifier = verifierOf({ name: witnessName, publicKey: witness.raw, type: NOTE_KEY_TYPES.cosignature });
const checkpoint = signCheckpoint({ origin, size: 5, rootHash: root }, { privateKey: log.privateKey });
const cosignAt = (timestampS: number, note = checkpoint) =>
  cosign(note, { name: witnessName, privateKey: witness.privateKey, timestampS });

t.test('a public checkpoint and its published cosignature are read and verify', async (t) => {
  const verifier = parseVkey(cosigned.vkey);
  t.equal(verifier.type, NOTE_KEY_TYPES.cosignature);
  t.equal(encodeVkey(verifier), cosigned.vkey);
  t.strictSame(verifyCosignature(cosigned.note, verifier), { timestampS: cosigned.timestampS });
  t.match(verifyCheckpoint(cosigned.note, [verifier]), {
    origin: cosigned.origin,
    size: cosigned.size,
    rootHash: Buffer.from(cosigned.rootHash, 'base64'),
    extensions: [],
    verified: [{ name: verifier.name, timestampS: cosigned.timestampS }],
    unknown: { length: 2 },
  });
  const otherSize = cosigned.note.replace(`\n${cosigned.size}\n`, '\n42\n');
  t.throws(() => verifyCosignature(otherSize, verifier), { code: 'NOTE_SIGNATURE' });
});

t.test('a checkpoint says origin, size and root, a line each', async (t) => {
  t.equal(checkpointText({ origin, size: 5, rootHash: root }), `${origin}\n5\n${root64}\n`);
  t.match(verifyCheckpoint(checkpoint, [logVerifier]), { origin, size: 5, rootHash: root, extensions: [] });
});

t.test('extension lines are kept apart and stay signed', async (t) => {
  const note = signNote(`${origin}\n5\n${root64}\nfirst\nsecond\n`, { name: origin, privateKey: log.privateKey });
  t.same(verifyCheckpoint(note, [logVerifier]).extensions, ['first', 'second']);
  t.throws(() => verifyCheckpoint(note.replace('second', 'third'), [logVerifier]), { code: 'NOTE_SIGNATURE' });
});

const badTexts: [string, string][] = [
  ['no origin', `\n5\n${root64}\n`],
  ['no root', `${origin}\n5\n`],
  ['an empty size', `${origin}\n\n${root64}\n`],
  ['a leading zero', `${origin}\n05\n${root64}\n`],
  ['a plus sign', `${origin}\n+5\n${root64}\n`],
  ['a minus sign', `${origin}\n-5\n${root64}\n`],
  ['a hexadecimal size', `${origin}\n0x5\n${root64}\n`],
  ['an exponent', `${origin}\n5e1\n${root64}\n`],
  ['a space after the size', `${origin}\n5 \n${root64}\n`],
  ['digits of another script', `${origin}\n\u0665\n${root64}\n`],
  ['a size of 2^53', `${origin}\n9007199254740992\n${root64}\n`],
  ['a short root', `${origin}\n5\nAAAA\n`],
  ['a root with loose bits', `${origin}\n5\n${root64.replace('c=', 'd=')}\n`],
  ['an empty extension line', `${origin}\n5\n${root64}\n\nx\n`],
  ['no last newline', `${origin}\n5\n${root64}`],
];

for (const [name, text] of badTexts) {
  t.test(`a checkpoint with ${name} is refused`, async (t) => {
    t.throws(() => parseCheckpoint(text), { code: 'CHECKPOINT_FORMAT' });
  });
}

t.test('a checkpoint that could not be read is never signed', async (t) => {
  const sign = (head: object) => () =>
    signCheckpoint({ origin, size: 5, rootHash: root, ...head }, { privateKey: log.privateKey });
  for (const head of [
    { size: -1 },
    { size: 1.5 },
    { size: 2 ** 53 },
    { rootHash: Buffer.alloc(31) },
    { origin: '' },
    { origin: 'a\nb' },
  ]) {
    t.throws(sign(head), { code: 'CHECKPOINT_FORMAT' }, JSON.stringify(head));
  }
});

t.test('a cosignature says when, and holds beside the signature of the log', async (t) => {
  const note = appendSignatures(checkpoint, cosignAt(1_700_000_000));
  t.strictSame(verifyCosignature(note, witnessVerifier), { timestampS: 1_700_000_000 });
  t.equal(verifyNote(note, [logVerifier, witnessVerifier]).verified.length, 2);
});

t.test('of several cosignatures of one witness the newest counts', async (t) => {
  const note = appendSignatures(checkpoint, cosignAt(200) + cosignAt(300) + cosignAt(100));
  t.strictSame(verifyCosignature(note, witnessVerifier), { timestampS: 300 });
});

t.test('a cosignature does not move to another time, checkpoint, or key type', async (t) => {
  const moved = cosignAt(100).trimEnd().split(' ');
  const bytes = Buffer.from(moved[2] as string, 'base64');
  bytes.writeBigUInt64BE(101n, 4);
  const otherTime = `${moved[0]} ${moved[1]} ${bytes.toString('base64')}\n`;
  t.throws(() => verifyCosignature(appendSignatures(checkpoint, otherTime), witnessVerifier), {
    code: 'NOTE_SIGNATURE',
  });
  const other = signCheckpoint({ origin, size: 6, rootHash: root }, { privateKey: log.privateKey });
  t.throws(() => verifyCosignature(appendSignatures(other, cosignAt(100)), witnessVerifier), {
    code: 'NOTE_SIGNATURE',
  });
  const asNoteKey = verifierOf({ name: witnessName, publicKey: witness.raw });
  t.throws(() => verifyCosignature(appendSignatures(checkpoint, cosignAt(100)), asNoteKey), { code: 'NOTE_SIGNATURE' });
  t.throws(() => verifyNote(appendSignatures(checkpoint, cosignAt(100)), [asNoteKey]), { code: 'NOTE_SIGNATURE' });
});

t.test('a plain signature of the witness key is no cosignature', async (t) => {
  const plain = signNote(checkpointText({ origin, size: 5, rootHash: root }), {
    name: witnessName,
    privateKey: witness.privateKey,
  });
  t.throws(() => verifyCosignature(plain, witnessVerifier), { code: 'NOTE_SIGNATURE' });
});

t.test('a cosignature of the wrong length or an impossible time is refused', async (t) => {
  const [dash, name, encoded] = cosignAt(100).trimEnd().split(' ') as [string, string, string];
  const bytes = Buffer.from(encoded, 'base64');
  const far = Buffer.from(bytes);
  far.writeBigUInt64BE(2n ** 63n, 4);
  for (const changed of [bytes.subarray(0, -1), Buffer.concat([bytes, bytes.subarray(0, 1)]), far]) {
    const note = appendSignatures(checkpoint, `${dash} ${name} ${changed.toString('base64')}\n`);
    t.throws(() => verifyCosignature(note, witnessVerifier), { code: 'NOTE_SIGNATURE' });
  }
  for (const timestampS of [0, -1, 1.5, Number.NaN]) t.throws(() => cosignAt(timestampS), { code: 'NOTE_FORMAT' });
});

t.test('only checkpoints are cosigned', async (t) => {
  const note = signNote('no checkpoint\n', { name: origin, privateKey: log.privateKey });
  t.throws(() => cosignAt(100, note), { code: 'CHECKPOINT_FORMAT' });
});

t.test('an add-checkpoint request survives the wire', async () => {
  const sizes = fc
    .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }))
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  fc.assert(
    fc.property(sizes, ([oldSize, size]) => {
      const hashes = Array.from({ length: size }, (_, i) => leafHash(Buffer.from([i])));
      const proof = consistencyProof(hashes, oldSize, size);
      const note = signCheckpoint({ origin, size, rootHash: rootOf(hashes, size) }, { privateKey: log.privateKey });
      const text = encodeAddCheckpoint({ oldSize, proof, checkpoint: note });
      const parsed = parseAddCheckpoint(Buffer.from(text));
      return (
        parsed.oldSize === oldSize &&
        parsed.checkpoint === note &&
        Buffer.concat(parsed.proof).equals(Buffer.concat(proof)) &&
        encodeAddCheckpoint(parsed) === text
      );
    }),
    { numRuns: 40 },
  );
});

t.test('an add-checkpoint request has lines in this order', async (t) => {
  t.equal(
    encodeAddCheckpoint({ oldSize: 3, proof: [root, root], checkpoint }),
    `old 3\n${root64}\n${root64}\n\n${checkpoint}`,
  );
  t.equal(encodeAddCheckpoint({ oldSize: 0, proof: [], checkpoint }), `old 0\n\n${checkpoint}`);
});

const badRequests: [string, string][] = [
  ['no empty line', `old 3\n${root64}`],
  ['no old size', `${root64}\n\n${checkpoint}`],
  ['an old size with a leading zero', `old 03\n\n${checkpoint}`],
  ['two spaces', `old  3\n\n${checkpoint}`],
  ['capitals', `OLD 3\n\n${checkpoint}`],
  ['a short hash', `old 3\nAAAA\n\n${checkpoint}`],
  ['a hash in base64url', `old 3\n${Buffer.alloc(32, 255).toString('base64url')}\n\n${checkpoint}`],
  ['a line that is no hash', `old 3\n \n\n${checkpoint}`],
  ['64 hashes', `old 3\n${`${root64}\n`.repeat(64)}\n${checkpoint}`],
  ['an old size above the new', `old 6\n\n${checkpoint}`],
];

for (const [name, text] of badRequests) {
  t.test(`an add-checkpoint request with ${name} is refused`, async (t) => {
    t.throws(() => parseAddCheckpoint(text), { code: 'ADD_CHECKPOINT_FORMAT' });
  });
}

t.test('63 hashes are still a proof', async (t) => {
  t.equal(parseAddCheckpoint(`old 3\n${`${root64}\n`.repeat(MAX_PROOF_LINES)}\n${checkpoint}`).proof.length, 63);
});

t.test('an add-checkpoint request without a checkpoint inside is refused', async (t) => {
  t.throws(() => parseAddCheckpoint('old 0\n\n'), { code: 'NOTE_FORMAT' });
  t.throws(() => parseAddCheckpoint('old 0\n\nx\n'), { code: 'NOTE_FORMAT' });
  const note = signNote('no checkpoint\n', { name: origin, privateKey: log.privateKey });
  t.throws(() => parseAddCheckpoint(`old 0\n\n${note}`), { code: 'CHECKPOINT_FORMAT' });
  t.throws(() => encodeAddCheckpoint({ oldSize: -1, proof: [], checkpoint }), { code: 'ADD_CHECKPOINT_FORMAT' });
});
