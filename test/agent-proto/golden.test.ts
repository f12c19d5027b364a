import { canonicalBytes, parseCanonical } from '@sitewarden/agent-proto/canonical';
import { decodeEnvelope, encodeEnvelope, pae, verifyEnvelope } from '@sitewarden/agent-proto/dsse';
import { verifyRequest } from '@sitewarden/agent-proto/http-signature';
import { fingerprint, publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import { leafHash, verifyConsistency, verifyInclusion } from '@sitewarden/agent-proto/merkle';
import { parseAddCheckpoint, parseVkey, verifyCheckpoint, verifyCosignature } from '@sitewarden/agent-proto/note';
import t from 'tap';
import checkpointFile from '../../agent-proto/fixtures/golden/checkpoint.json' with { type: 'json' };
import dsseFile from '../../agent-proto/fixtures/golden/dsse.json' with { type: 'json' };
import httpFile from '../../agent-proto/fixtures/golden/http-signature.json' with { type: 'json' };
import { goldenFiles, readGolden } from '../../scripts/generate-fixtures.ts';

const base64 = (text: string) => Buffer.from(text, 'base64');

t.test('the golden files are what the code makes, byte for byte', async (t) => {
  const files = goldenFiles();
  t.same([...files.keys()].sort(), [
    'agent-messages.json',
    'checkpoint.json',
    'dsse.json',
    'http-bodies.json',
    'http-signature.json',
  ]);
  for (const [name, content] of files) t.equal(readGolden(name), content, name);
});

t.test('the golden envelope decodes, verifies and holds the golden value', async (t) => {
  const { key, value, payload, payloadType, envelope } = dsseFile;
  const decoded = decodeEnvelope(Buffer.from(envelope));
  t.equal(decoded.payloadType, payloadType);
  t.equal(decoded.keyId, key.fingerprint);
  t.equal(fingerprint(key.publicKey), key.fingerprint);
  const bytes = verifyEnvelope(decoded, publicKeyFromRaw(key.publicKey));
  t.equal(Buffer.from(bytes).toString(), payload);
  t.strictSame(parseCanonical(bytes), value);
  t.same(canonicalBytes(value), bytes);
  t.equal(Buffer.from(pae(payloadType, bytes)).toString(), dsseFile.pae);
  t.equal(Buffer.from(encodeEnvelope(decoded)).toString(), envelope);
  t.same(leafHash(Buffer.from(envelope)), base64(dsseFile.leafHash));
});

t.test('the golden checkpoint, cosignature and proofs verify', async (t) => {
  const { log, witness, leaves, size, timestampS, inclusion, consistency, cosigned } = checkpointFile;
  const rootHash = base64(checkpointFile.rootHash);
  t.match(verifyCheckpoint(cosigned, [parseVkey(log.vkey)]), { origin: checkpointFile.origin, size, rootHash });
  t.strictSame(verifyCosignature(cosigned, parseVkey(witness.vkey)), { timestampS });
  t.equal(cosigned, checkpointFile.checkpoint + checkpointFile.cosignature);
  const leaf = leafHash(Buffer.from(leaves[inclusion.index] as string));
  const inclusionClaim = { leafHash: leaf, index: inclusion.index, size, root: rootHash };
  t.ok(verifyInclusion({ ...inclusionClaim, proof: inclusion.proof.map(base64) }));
  const oldRoot = base64(consistency.oldRootHash);
  const proof = consistency.proof.map(base64);
  t.ok(verifyConsistency({ oldSize: consistency.oldSize, oldRoot, newSize: size, newRoot: rootHash, proof }));
  const request = parseAddCheckpoint(checkpointFile.addCheckpoint);
  t.same(request, { oldSize: consistency.oldSize, proof, checkpoint: checkpointFile.checkpoint });
});

for (const { method, url, body, headers, checkinToken = null } of httpFile.requests) {
  t.test(`the golden signed ${method} ${url} verifies`, async (t) => {
    const { host, pathname, search } = new URL(url);
    const request = { method, authority: host, path: pathname, query: search, headers, body: Buffer.from(body) };
    const { key, createdS, nonce } = httpFile;
    const verdict = verifyRequest(request, publicKeyFromRaw(key.publicKey), { nowS: createdS, maxSkewS: 0 });
    t.strictSame(verdict, { ok: true, keyId: key.fingerprint, createdS, nonce, checkinToken });
  });
}
