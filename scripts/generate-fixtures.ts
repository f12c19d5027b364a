/**
 * Writes agent-proto/fixtures/golden/*.json from fixed keys and inputs: one signed example of each wire format, for
 * clients in other languages. `--check` writes nothing and exits 1 when a file on disk differs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { canonicalBytes } from '@sitewarden/agent-proto/canonical';
import { encodeEnvelope, pae, signEnvelope } from '@sitewarden/agent-proto/dsse';
import { CHECKIN_TOKEN_HEADER, COVERED, signatureBase, signRequest } from '@sitewarden/agent-proto/http-signature';
import { sign } from '@sitewarden/agent-proto/keys';
import { consistencyProof, inclusionProof, leafHash, rootOf } from '@sitewarden/agent-proto/merkle';
import {
  appendSignatures,
  cosign,
  encodeAddCheckpoint,
  encodeVkey,
  NOTE_KEY_TYPES,
  signCheckpoint,
} from '@sitewarden/agent-proto/note';
import { agentMessagesFixture } from './fixtures/agent-messages.ts';
import { httpBodiesFixture } from './fixtures/http-bodies.ts';
import { described, fixtureKey } from './fixtures/keys.ts';

const GOLDEN = new URL('../agent-proto/fixtures/golden/', import.meta.url);

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');

function dsseFixture() {
  const key = fixtureKey(1);
  const value = { zone: 'Zürich', seq: 7, ok: true, tags: ['a', 'b'], none: null };
  const payloadType = 'application/vnd.in-toto+json';
  const payload = canonicalBytes(value);
  const signBytes = (bytes: Uint8Array) => sign(key.privateKey, bytes);
  const envelope = encodeEnvelope(signEnvelope({ payloadType, payload, keyId: key.fingerprint, sign: signBytes }));
  return {
    about: 'DSSE envelope over canonical JSON; leafHash is its RFC 6962 leaf hash in base64',
    key: described(key),
    value,
    payloadType,
    payload: text(payload),
    pae: text(pae(payloadType, payload)),
    envelope: text(envelope),
    leafHash: base64(leafHash(envelope)),
  };
}

function checkpointFixture() {
  const log = fixtureKey(2);
  const witness = fixtureKey(3);
  const origin = 'relay.example/a/01JD0000000000000000000000/1';
  const witnessName = 'relay.example/witness';
  const leaves = ['entry 0', 'entry 1', 'entry 2', 'entry 3', 'entry 4', 'entry 5', 'entry 6'];
  const hashes = leaves.map((leaf) => leafHash(Buffer.from(leaf)));
  const size = leaves.length;
  const oldSize = 3;
  const checkpoint = signCheckpoint({ origin, size, rootHash: rootOf(hashes, size) }, { privateKey: log.privateKey });
  const timestampS = 1_767_225_600;
  const cosignature = cosign(checkpoint, { name: witnessName, privateKey: witness.privateKey, timestampS });
  const proof = consistencyProof(hashes, oldSize, size);
  const index = 4;
  return {
    about: 'RFC 6962 tree, C2SP checkpoint, cosignature and add-checkpoint request; hashes in base64',
    log: { ...described(log), vkey: encodeVkey({ name: origin, publicKey: log.publicKey }) },
    witness: {
      ...described(witness),
      vkey: encodeVkey({ name: witnessName, publicKey: witness.publicKey, type: NOTE_KEY_TYPES.cosignature }),
    },
    leaves,
    origin,
    size,
    rootHash: base64(rootOf(hashes, size)),
    checkpoint,
    timestampS,
    cosignature,
    cosigned: appendSignatures(checkpoint, cosignature),
    inclusion: { index, proof: inclusionProof(hashes, index, size).map(base64) },
    consistency: { oldSize, oldRootHash: base64(rootOf(hashes, oldSize)), proof: proof.map(base64) },
    addCheckpoint: encodeAddCheckpoint({ oldSize, proof, checkpoint }),
  };
}

function httpSignatureFixture() {
  const key = fixtureKey(4);
  const nonce = Buffer.alloc(16, 5).toString('base64url');
  const shared = { keyId: key.fingerprint, privateKey: key.privateKey, createdS: 1_767_225_600, nonce };
  const inputs = [
    { method: 'POST', url: 'https://relay.example/api/appliances/checkin', body: '{"counter":1}' },
    { method: 'GET', url: 'https://relay.example:8443/api/orders?after=12&wait=30', body: '' },
    {
      method: 'GET',
      url: 'https://relay.example/api/appliances/orders',
      body: '',
      checkinToken: 'AGsDSCfMMKVyNDxZVOdr8w',
    },
  ];
  const coveredBy = ({ checkinToken }: { checkinToken?: string }) =>
    checkinToken === undefined ? COVERED : [...COVERED, CHECKIN_TOKEN_HEADER];
  const requests = inputs.map((input) => {
    const headers = signRequest({ ...shared, ...input });
    const { host, pathname, search } = new URL(input.url);
    const parts = { method: input.method, authority: host, path: pathname, query: search, headers };
    return { ...input, headers, base: signatureBase(coveredBy(input), headers['signature-input'].slice(3), parts) };
  });
  return {
    about: 'RFC 9421 signed requests in the sitewarden-v1 profile; base is what was signed',
    key: described(key),
    createdS: shared.createdS,
    nonce,
    requests,
  };
}

/** File name to content: made from nothing but the code, so two runs agree byte for byte. */
export function goldenFiles(): Map<string, string> {
  const fixtures = {
    dsse: dsseFixture(),
    checkpoint: checkpointFixture(),
    'http-signature': httpSignatureFixture(),
    'agent-messages': agentMessagesFixture(),
    'http-bodies': httpBodiesFixture(),
  };
  return new Map(
    Object.entries(fixtures).map(([name, value]) => [`${name}.json`, `${JSON.stringify(value, null, 2)}\n`]),
  );
}

/** What is on disk of one golden file. */
export function readGolden(name: string): string {
  return readFileSync(new URL(name, GOLDEN), 'utf8');
}

function main(isCheck: boolean): number {
  let differing = 0;
  for (const [name, content] of goldenFiles()) {
    if (!isCheck) {
      writeFileSync(new URL(name, GOLDEN), content);
      console.log(`wrote ${name}`);
    } else if (readGolden(name) !== content) {
      differing += 1;
      console.error(`${name} differs from what the code makes; run node scripts/generate-fixtures.ts`);
    }
  }
  return differing === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = main(process.argv.includes('--check'));
