import type { KeyObject } from 'node:crypto';
import { canonicalBytes } from '@sitewarden/agent-proto/canonical';
import { encodeEnvelope, signEnvelope } from '@sitewarden/agent-proto/dsse';
import { buildStatement, type EvidencePredicate, keyTurnFacts, snapshotFacts } from '@sitewarden/agent-proto/evidence';
import { PAYLOAD_TYPES } from '@sitewarden/agent-proto/http';
import { fingerprint, rawPublicKey, sign } from '@sitewarden/agent-proto/keys';
import { consistencyProof, leafHash, rootOf } from '@sitewarden/agent-proto/merkle';
import { encodeAddCheckpoint, signCheckpoint } from '@sitewarden/agent-proto/note';
import { transitionBytes } from '@sitewarden/agent-proto/rotation';

/** Signs any payload as the DSSE envelope a box would send. */
export function envelopeOf(key: KeyObject, payloadType: string, payload: object): Buffer {
  const envelope = signEnvelope({
    payloadType,
    payload: canonicalBytes(payload),
    keyId: fingerprint(rawPublicKey(key)),
    sign: (bytes: Uint8Array): Uint8Array => sign(key, bytes),
  });
  return Buffer.from(encodeEnvelope(envelope));
}

/** An evidence log as a box keeps it: entries, tree and checkpoints; honest unless a test asks for something else. */
export class SimLog {
  readonly origin: string;
  readonly rows: Buffer[] = [];
  readonly leaves: Uint8Array[] = [];
  #evk: KeyObject;

  constructor(origin: string, evk: KeyObject) {
    this.origin = origin;
    this.#evk = evk;
  }

  get size(): number {
    return this.rows.length;
  }

  prevAt(seq: number): string {
    return seq === 0 ? '' : Buffer.from(this.leaves[seq - 1] as Uint8Array).toString('hex');
  }

  /** The row of entry `seq`, not appended. */
  makeEntry(
    seq: number,
    over: Partial<EvidencePredicate> = {},
    options: { origin?: string; key?: KeyObject } = {},
  ): Buffer {
    const statement = buildStatement(options.origin ?? this.origin, {
      seq,
      prev: over.prev ?? this.prevAt(seq),
      bootId: '0f8fad5b-d9cb-469f-a165-70867728950e',
      monotonicMs: 1000 + seq,
      wallTimeMs: 1_800_000_000_000 + seq,
      timeQuality: 'synced',
      kind: seq === 0 ? 'claim' : 'incident_opened',
      actor: { type: 'system', id: 'sim' },
      target: { agentId: null, host: 'box', check: null, subject: '' },
      incidentId: null,
      orderId: null,
      rule: null,
      action: null,
      before: null,
      after: null,
      outcome: { code: 'ok', text: `entry ${seq}` },
      controls: [],
      ...over,
    });
    return envelopeOf(options.key ?? this.#evk, PAYLOAD_TYPES.evidence, statement);
  }

  append(count = 1, over: Partial<EvidencePredicate> = {}): this {
    for (let n = 0; n < count; n += 1) this.push(this.makeEntry(this.size, over));
    return this;
  }

  /** The row that hands the log over to another key; `over` makes it a dishonest one. Not appended, nothing changed. */
  makeTurn(next: KeyObject, over: Partial<{ oldKey: string; signedBy: KeyObject; key: KeyObject }> = {}): Buffer {
    const oldKey = over.oldKey ?? rawPublicKey(this.#evk);
    const newKey = rawPublicKey(next);
    const bytes = transitionBytes({ key: 'evk', owner: this.origin, oldKey, newKey });
    const newSignature = Buffer.from(sign(over.signedBy ?? next, bytes)).toString('base64url');
    const after = snapshotFacts(keyTurnFacts({ oldKey, newKey, newSignature }));
    return this.makeEntry(this.size, { kind: 'evk_rotated', after }, over.key === undefined ? {} : { key: over.key });
  }

  /** Hands the log over to another key, honestly. */
  turnTo(next: KeyObject): this {
    this.push(this.makeTurn(next));
    this.#evk = next;
    return this;
  }

  push(row: Buffer): void {
    this.rows.push(row);
    this.leaves.push(leafHash(row));
  }

  /** A copy that can go another way. */
  fork(size = this.size): SimLog {
    const copy = new SimLog(this.origin, this.#evk);
    for (const row of this.rows.slice(0, size)) copy.push(row);
    return copy;
  }

  checkpoint(size = this.size, over: { origin?: string; key?: KeyObject; root?: Uint8Array } = {}): string {
    const head = { origin: over.origin ?? this.origin, size, rootHash: over.root ?? rootOf(this.leaves, size) };
    return signCheckpoint(head, { privateKey: over.key ?? this.#evk });
  }

  /** The add-checkpoint body from `oldSize`. */
  addCheckpoint(oldSize: number, size = this.size): Buffer {
    const proof = consistencyProof(this.leaves, oldSize, size);
    return Buffer.from(encodeAddCheckpoint({ oldSize, proof, checkpoint: this.checkpoint(size) }));
  }

  /** The outbox body of the entries [from, to). */
  batch(from = 0, to = this.size): Buffer {
    return outboxBody({ lane: 'evidence', firstSeq: from + 1, rows: this.rows.slice(from, to) });
  }
}

export function outboxBody(input: {
  lane: string;
  firstSeq: number;
  rows: readonly (Buffer | string | object)[];
  epoch?: number;
  count?: number;
  absent?: object;
}): Buffer {
  const { lane, firstSeq, rows, epoch = 1, count = rows.length, absent } = input;
  const lines = rows.map((row) =>
    Buffer.isBuffer(row) ? row : Buffer.from(typeof row === 'string' ? row : JSON.stringify(row)),
  );
  const header = Buffer.from(JSON.stringify({ lane, epoch, firstSeq, count, absent }));
  return Buffer.concat([header, ...lines].flatMap((line) => [line, Buffer.from('\n')]));
}
