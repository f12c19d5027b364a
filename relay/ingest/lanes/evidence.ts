import { createEntryVerifierAsync, type EntryVerdict, type EvidenceStatement } from '@sitewarden/agent-proto/evidence';
import { publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import { Frontier, leafHash, type TreeNode } from '@sitewarden/agent-proto/merkle';
import { type KeyChain, keyInForce, wasInForce } from '@sitewarden/agent-proto/rotation';
import { relayErrors } from '../../errors.ts';
import {
  addKeyTurns,
  appendEntries,
  clearFault,
  type EvidenceLog,
  type NewEntry,
  readKeyTurns,
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
  /** Changes of the key among the entries. */
  newTurns: KeyChain['turns'];
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
      const { log, stored, turns } = await store.inTenant(box.partnerId, async (trx) => {
        const head = await readLog(trx, key);
        if (head === undefined)
          throw relayErrors.make('OUTBOX_EPOCH', { detail: `There is no log of epoch ${batch.epoch}` });
        const from = batch.firstSeq - 1;
        const to = Math.min(head.receivedSize, from + batch.rows.length);
        return {
          log: head,
          stored: await readLeafHashes(trx, key, { from, to }),
          turns: await readKeyTurns(trx, key),
        };
      });
      if (batch.firstSeq > log.receivedSize + 1) {
        throw relayErrors.make('OUTBOX_GAP', { data: { expectedSeq: log.receivedSize + 1 } });
      }
      assertSameEntries(batch, stored);
      const verified = await verifyNew({ first: box.evk, turns }, batch, log);
      return {
        async apply(trx, place, { ackedThrough, nowMs }) {
          if (ackedThrough !== verified.baseSize) throw new PositionMoved();
          const { entries, nodes, head, newTurns } = verified;
          await appendEntries(trx, place, { entries, nodes, head, receivedAtMs: nowMs });
          await addKeyTurns(trx, place, newTurns);
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

async function verifyNew(known: KeyChain, batch: Batch, log: EvidenceLog): Promise<Verified> {
  const baseSize = log.receivedSize;
  const rows = batch.rows.slice(baseSize + 1 - batch.firstSeq);
  const frontier = log.frontier === '' ? new Frontier() : Frontier.fromBytes(Buffer.from(log.frontier, 'base64'));
  // Each place is known from the bytes alone, so that the signatures need not wait for each other.
  const hashes = rows.map((bytes) => Buffer.from(leafHash(bytes)).toString('hex'));
  const entries: NewEntry[] = [];
  const nodes: TreeNode[] = [];
  let keys = known;
  let verify = createEntryVerifierAsync(publicKeyFromRaw(keyInForce(keys, baseSize)));
  let verdicts: Promise<EntryVerdict>[] = [];
  const begin = (index: number) => {
    const prev = index === 0 ? log.lastLeafHash : (hashes[index - 1] as string);
    verdicts[index] = verify(rows[index] as Buffer, { origin: log.origin, seq: baseSize + index, prev });
  };
  const beginFrom = (from: number) => {
    for (let index = from; index < Math.min(rows.length, from + MAX_BEGUN); index += 1) begin(index);
  };
  beginFrom(0);
  for (const [index, bytes] of rows.entries()) {
    const verdict = await (verdicts[index] as Promise<EntryVerdict>);
    const seq = baseSize + index;
    const { statement, hash, hex, nextKey } = accepted(verdict, seq);
    entries.push(entryOf(statement, { seq, leafHash: hex, bytes }));
    nodes.push(...frontier.appendWithNodes(hash));
    if (nextKey !== undefined) {
      keys = turned(keys, { seq, key: nextKey });
      verify = createEntryVerifierAsync(publicKeyFromRaw(nextKey));
      // Those begun under the old key say nothing about what follows.
      verdicts = verdicts.slice(0, index + 1);
      beginFrom(index + 1);
    } else if (index + MAX_BEGUN < rows.length && verdicts[index + MAX_BEGUN] === undefined) begin(index + MAX_BEGUN);
  }
  const head = {
    receivedSize: frontier.size,
    frontier: Buffer.from(frontier.toBytes()).toString('base64'),
    lastLeafHash: hashes.at(-1) ?? log.lastLeafHash,
  };
  return { baseSize, entries, nodes, head, newTurns: keys.turns.slice(known.turns.length) };
}

function turned(keys: KeyChain, turn: { seq: number; key: string }): KeyChain {
  if (!wasInForce(keys, turn.key)) return { ...keys, turns: [...keys.turns, turn] };
  throw new EvidenceRefused('EVIDENCE_TRANSITION', turn.seq + 1, `Entry ${turn.seq}: The new key was in force before`);
}

function accepted(verdict: EntryVerdict, seq: number) {
  if (verdict.ok) {
    const { statement, leafHash: hash, leafHashHex: hex, nextKey } = verdict;
    return { statement, hash, hex, nextKey };
  }
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
