import type { KeyObject } from 'node:crypto';
import { canonicalBytes } from '@sitewarden/agent-proto/canonical';
import { encodeEnvelope, signEnvelope } from '@sitewarden/agent-proto/dsse';
import { buildStatement, type EvidencePredicate } from '@sitewarden/agent-proto/evidence';
import { PAYLOAD_TYPES } from '@sitewarden/agent-proto/http';
import { sign } from '@sitewarden/agent-proto/keys';
import { consistencyProof, leafHash, rootOf } from '@sitewarden/agent-proto/merkle';
import { encodeAddCheckpoint, signCheckpoint } from '@sitewarden/agent-proto/note';

export type EntryAbout = Pick<EvidencePredicate, 'kind' | 'actor' | 'target' | 'incidentId' | 'outcome'>;

export interface LogOptions {
  readonly origin: string;
  readonly bootId: string;
  readonly evk: { readonly privateKey: KeyObject; readonly fingerprint: string };
}

/** A box's evidence log in memory: real signatures, a real tree, real checkpoints. */
export interface EvidenceLog {
  readonly size: number;
  /** Entries the relay has. */
  sentSize: number;
  /** Size of the newest cosigned checkpoint. */
  cosignedSize: number;
  append(about: EntryAbout, nowMs: number): void;
  /** The rows it has not sent. */
  unsent(): Buffer[];
  /** The add-checkpoint body that takes the relay from its size to ours. */
  addCheckpoint(): Buffer;
}

export function createEvidenceLog({ origin, bootId, evk }: LogOptions): EvidenceLog {
  const leaves: Uint8Array[] = [];
  // Rows are needed until the relay has them.
  let waiting: Buffer[] = [];
  const log: EvidenceLog = {
    get size() {
      return leaves.length;
    },
    sentSize: 0,
    cosignedSize: 0,
    append(about, nowMs) {
      const seq = leaves.length;
      const last = leaves[seq - 1];
      const statement = buildStatement(origin, {
        ...about,
        seq,
        prev: last === undefined ? '' : Buffer.from(last).toString('hex'),
        bootId,
        monotonicMs: Math.floor(performance.now()),
        wallTimeMs: nowMs,
        timeQuality: 'synced',
        orderId: null,
        rule: null,
        action: null,
        before: null,
        after: null,
        controls: [],
      });
      const signed = signEnvelope({
        payloadType: PAYLOAD_TYPES.evidence,
        payload: canonicalBytes(statement),
        keyId: evk.fingerprint,
        sign: (bytes: Uint8Array): Uint8Array => sign(evk.privateKey, bytes),
      });
      const row = Buffer.from(encodeEnvelope(signed));
      leaves.push(leafHash(row));
      waiting.push(row);
    },
    unsent() {
      waiting = waiting.slice(waiting.length - (leaves.length - log.sentSize));
      return waiting;
    },
    addCheckpoint() {
      const size = leaves.length;
      const oldSize = log.cosignedSize;
      const head = { origin, size, rootHash: rootOf(leaves, size) };
      const checkpoint = signCheckpoint(head, { privateKey: evk.privateKey });
      return Buffer.from(encodeAddCheckpoint({ oldSize, proof: consistencyProof(leaves, oldSize, size), checkpoint }));
    },
  };
  return log;
}
