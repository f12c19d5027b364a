import { createEntryVerifierAsync, type EntryVerdict, type EvidenceStatement } from '@sitewarden/agent-proto/evidence';
import { publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import { Frontier, leafHash, type TreeNode } from '@sitewarden/agent-proto/merkle';
import { relayErrors } from '../../errors.ts';
import type { Box } from '../../lib/identity.ts';
import {
  appendEntries,
  clearFault,
  type EvidenceLog,
  type NewEntry,
  readLeafHashes,
  readLog,
} from '../../store/repositories/evidence.ts';
import { EvidenceRefused, PASSING_FAULTS } from '../faults.ts';
import type { Batch } from '../parse.ts';
import { type LaneDeps, type LaneHandler, PositionMoved } from '../types.ts';

/** Entries checked side by side: enough for the thread pool, few enough that other requests get their turn. */
const MAX_BEGUN = 64;

interface Verified {
  /** Entries already stored when the batch was checked. */
  baseSize: number;
  entries: NewEntry[];
  nodes: TreeNode[];
  head: { receivedSize: number; frontier: string; lastLeafHash: string };
}

/**
 * The box's log, entry by entry. Signatures and the chain are checked before the transaction, from the head that stands
 * then; inside it only the head is compared again.
 */
export function createEvidenceLane({ store }: LaneDeps): LaneHandler {
  return {
    changes: ['evidence', 'site'],
    async prepare(box, batch) {
      const key = { applianceId: box.applianceId, partnerId: box.partnerId, epoch: batch.epoch };
      const { log, stored } = await store.inTenant(box.partnerId, async (trx) => {
        const head = await readLog(trx, key);
        if (head === undefined)
          throw relayErrors.make('OUTBOX_EPOCH', { detail: `There is no log of epoch ${batch.epoch}` });
        const from = batch.firstSeq - 1;
        const to = Math.min(head.receivedSize, from + batch.rows.length);
        return { log: head, stored: await readLeafHashes(trx, key, { from, to }) };
      });
      if (batch.firstSeq > log.receivedSize + 1) {
        throw relayErrors.make('OUTBOX_GAP', { data: { expectedSeq: log.receivedSize + 1 } });
      }
      assertSameEntries(batch, stored);
      const verified = await verifyNew(box, batch, log);
      return {
        async apply(trx, place, { ackedThrough, nowMs }) {
          if (ackedThrough !== verified.baseSize) throw new PositionMoved();
          const { entries, nodes, head } = verified;
          await appendEntries(trx, place, { entries, nodes, head, receivedAtMs: nowMs });
          if (log.fault) await clearFault(trx, place, PASSING_FAULTS);
        },
      };
    },
  };
}

/** A repeated row must be the very entry that is stored: another one means that there are two logs. */
function assertSameEntries(batch: Batch, stored: readonly string[]): void {
  for (const [index, known] of stored.entries()) {
    const hash = Buffer.from(leafHash(batch.rows[index] as Buffer)).toString('hex');
    if (hash === known) continue;
    const seq = batch.firstSeq + index;
    throw new EvidenceRefused(
      'EVIDENCE_CONFLICT',
      seq,
      `Entry ${seq - 1} is stored with leaf hash ${known}, sent with ${hash}`,
    );
  }
}

async function verifyNew(box: Box, batch: Batch, log: EvidenceLog): Promise<Verified> {
  const baseSize = log.receivedSize;
  const rows = batch.rows.slice(baseSize + 1 - batch.firstSeq);
  const frontier = log.frontier === '' ? new Frontier() : Frontier.fromBytes(Buffer.from(log.frontier, 'base64'));
  const verify = createEntryVerifierAsync(publicKeyFromRaw(box.evk));
  const entries: NewEntry[] = [];
  const nodes: TreeNode[] = [];
  let prev = log.lastLeafHash;
  // Each place is known from the bytes alone, so that the signatures need not wait for each other.
  const begin = (index: number): Promise<EntryVerdict> => {
    const bytes = rows[index] as Buffer;
    const place = { origin: log.origin, seq: baseSize + index, prev };
    prev = Buffer.from(leafHash(bytes)).toString('hex');
    return verify(bytes, place);
  };
  const verdicts = rows.slice(0, MAX_BEGUN).map((_, index) => begin(index));
  for (const [index, bytes] of rows.entries()) {
    const verdict = await (verdicts[index] as Promise<EntryVerdict>);
    if (index + MAX_BEGUN < rows.length) verdicts.push(begin(index + MAX_BEGUN));
    const seq = baseSize + index;
    const { statement, hash, hex } = accepted(verdict, seq);
    entries.push(entryOf(statement, { seq, leafHash: hex, bytes }));
    nodes.push(...frontier.appendWithNodes(hash));
  }
  const head = {
    receivedSize: frontier.size,
    frontier: Buffer.from(frontier.toBytes()).toString('base64'),
    lastLeafHash: prev,
  };
  return { baseSize, entries, nodes, head };
}

function accepted(verdict: EntryVerdict, seq: number) {
  if (verdict.ok) return { statement: verdict.statement, hash: verdict.leafHash, hex: verdict.leafHashHex };
  throw new EvidenceRefused(verdict.code, seq + 1, `Entry ${seq}: ${verdict.detail}`);
}

function entryOf(
  { predicate }: EvidenceStatement,
  { seq, leafHash: hash, bytes }: { seq: number; leafHash: string; bytes: Buffer },
): NewEntry {
  return {
    seq,
    leafHash: hash,
    envelope: bytes.toString('latin1'),
    kind: predicate.kind,
    actor: `${predicate.actor.type}:${predicate.actor.id}`,
    outcomeCode: predicate.outcome.code,
    outcomeText: predicate.outcome.text,
    target: JSON.stringify(predicate.target),
    incidentId: predicate.incidentId,
    wallTimeMs: predicate.wallTimeMs,
  };
}
