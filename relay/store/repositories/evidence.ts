import { Frontier, type TreeNode } from '@sitewarden/agent-proto/merkle';
import { CompiledQuery } from 'kysely';
import { engineOf } from '../engine.ts';
import type { Tx } from '../types.ts';
import { inChunks, plainText } from './bulk.ts';

/** Names a log inside a tenant's transaction. */
export interface LogRef {
  applianceId: string;
  epoch: number;
}

export interface LogKey extends LogRef {
  partnerId: string;
}

export interface EvidenceLog {
  origin: string;
  receivedSize: number;
  /** Base64 of Frontier.toBytes(). */
  frontier: string;
  /** Hex, empty before the first entry. */
  lastLeafHash: string;
  cosignedSize: number;
  cosignedRoot: string;
  checkpoint: string;
  cosignedAtMs: number | null;
  fault: { code: string; message: string; atMs: number } | null;
}

export interface NewEntry {
  seq: number;
  leafHash: string;
  envelope: string;
  kind: string;
  actor: string;
  outcomeCode: string;
  outcomeText: string;
  target: string;
  incidentId: string | null;
  wallTimeMs: number;
}

/** Of a log without entries. */
export const EMPTY_FRONTIER = Buffer.from(new Frontier().toBytes()).toString('base64');

/** A log without entries. */
export async function insertLog(trx: Tx, key: LogKey & { origin: string; firstKey: string }): Promise<void> {
  await trx
    .insertInto('evidence_log')
    .values({
      appliance_id: key.applianceId,
      partner_id: key.partnerId,
      epoch: key.epoch,
      origin: key.origin,
      received_size: 0,
      frontier: EMPTY_FRONTIER,
      last_leaf_hash: '',
      cosigned_size: 0,
      cosigned_root: '',
      checkpoint: '',
      cosigned_at_ms: null,
      fault_code: null,
      fault_message: null,
      fault_at_ms: null,
      first_key: key.firstKey,
    })
    .execute();
}

export async function readLog(trx: Tx, { applianceId, epoch }: LogRef): Promise<EvidenceLog | undefined> {
  const row = await trx
    .selectFrom('evidence_log')
    .selectAll()
    .where('appliance_id', '=', applianceId)
    .where('epoch', '=', epoch)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    origin: row.origin,
    receivedSize: row.received_size,
    frontier: row.frontier,
    lastLeafHash: row.last_leaf_hash,
    cosignedSize: row.cosigned_size,
    cosignedRoot: row.cosigned_root,
    checkpoint: row.checkpoint,
    cosignedAtMs: row.cosigned_at_ms,
    fault:
      row.fault_code === null
        ? null
        : { code: row.fault_code, message: row.fault_message ?? '', atMs: row.fault_at_ms ?? 0 },
  };
}

/** Hex leaf hashes of the entries [from, to). */
export async function readLeafHashes(trx: Tx, key: LogRef, range: { from: number; to: number }): Promise<string[]> {
  if (range.to <= range.from) return [];
  const rows = await trx
    .selectFrom('evidence_entry')
    .select('leaf_hash')
    .where('appliance_id', '=', key.applianceId)
    .where('epoch', '=', key.epoch)
    .where('seq', '>=', range.from)
    .where('seq', '<', range.to)
    .orderBy('seq')
    .execute();
  return rows.map((row) => row.leaf_hash);
}

const ENTRY_COLUMNS = `appliance_id, partner_id, site_id, epoch, seq, leaf_hash, envelope, kind, actor, outcome_code,
  outcome_text, target, incident_id, wall_time_ms, received_at_ms`;
const NODE_COLUMNS = 'appliance_id, partner_id, epoch, level, idx, hash';

/** Adds entries and the tree nodes they complete, and moves the head of the log. Each row is written once, ever. */
export async function appendEntries(
  trx: Tx,
  key: LogKey & { siteId: string },
  input: {
    entries: readonly NewEntry[];
    nodes: readonly TreeNode[];
    head: { receivedSize: number; frontier: string; lastLeafHash: string };
    receivedAtMs: number;
  },
): Promise<void> {
  const { applianceId, partnerId, siteId, epoch } = key;
  const entries = input.entries.map((entry) => [
    applianceId,
    partnerId,
    siteId,
    epoch,
    entry.seq,
    entry.leafHash,
    entry.envelope,
    entry.kind,
    plainText(entry.actor),
    plainText(entry.outcomeCode),
    plainText(entry.outcomeText),
    plainText(entry.target),
    entry.incidentId,
    entry.wallTimeMs,
    input.receivedAtMs,
  ]);
  const nodes = input.nodes.map(({ level, index, hash }) => [
    applianceId,
    partnerId,
    epoch,
    level,
    index,
    Buffer.from(hash).toString('hex'),
  ]);
  await insertRows(trx, `INSERT INTO evidence_entry (${ENTRY_COLUMNS})`, entries);
  await insertRows(trx, `INSERT INTO evidence_node (${NODE_COLUMNS})`, nodes);
  const { head } = input;
  await trx
    .updateTable('evidence_log')
    .set({ received_size: head.receivedSize, frontier: head.frontier, last_leaf_hash: head.lastLeafHash })
    .where('appliance_id', '=', applianceId)
    .where('epoch', '=', epoch)
    .execute();
}

/** Hot: the builder spends several times longer on such a statement than the engine. Every row names its tenant. */
async function insertRows(trx: Tx, insert: string, rows: unknown[][]): Promise<void> {
  const isPostgres = engineOf(trx) === 'postgres';
  await inChunks(rows, (chunk) => {
    const width = chunk[0]?.length ?? 0;
    const tuple = (row: number) =>
      isPostgres
        ? `(${Array.from({ length: width }, (_, at) => `$${row * width + at + 1}`)})`
        : `(${'?, '.repeat(width - 1)}?)`;
    const text = `${insert} VALUES ${chunk.map((_, row) => tuple(row)).join(', ')}`;
    return trx.executeQuery(CompiledQuery.raw(text, chunk.flat()));
  });
}

/** Proof that there are two logs. It stands until the box is reset and claimed again, and no lesser fault covers it up. */
export const STANDING_FAULTS = ['EVIDENCE_CONFLICT', 'EVIDENCE_FORK'] as const;

/** Notes why the log is not believed. False when the very same fault, or a graver one, already stands. */
export async function recordFault(
  trx: Tx,
  key: LogRef,
  fault: { code: string; message: string; atMs: number },
): Promise<boolean> {
  const message = plainText(fault.message);
  const isGrave = (STANDING_FAULTS as readonly string[]).includes(fault.code);
  const { numUpdatedRows } = await trx
    .updateTable('evidence_log')
    .set({ fault_code: fault.code, fault_message: message, fault_at_ms: fault.atMs })
    .where('appliance_id', '=', key.applianceId)
    .where('epoch', '=', key.epoch)
    .where((eb) =>
      eb.or([
        eb('fault_code', 'is', null),
        eb.and([
          eb.or([eb('fault_code', '!=', fault.code), eb('fault_message', '!=', message)]),
          ...(isGrave ? [] : [eb('fault_code', 'not in', [...STANDING_FAULTS])]),
        ]),
      ]),
    )
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Takes back a fault of one of these kinds, because the log went on as it should. */
export async function clearFault(trx: Tx, key: LogRef, codes: readonly string[]): Promise<void> {
  await trx
    .updateTable('evidence_log')
    .set({ fault_code: null, fault_message: null, fault_at_ms: null })
    .where('appliance_id', '=', key.applianceId)
    .where('epoch', '=', key.epoch)
    .where('fault_code', 'in', [...codes])
    .execute();
}

/**
 * Moves the cosigned head, only from exactly the head the caller checked against: of two requests at the same time one
 * loses here, in this process or another. False: it lost.
 */
export async function moveCosigned(
  trx: Tx,
  key: LogRef,
  move: {
    from: { size: number; root: string };
    to: { size: number; root: string; checkpoint: string; atMs: number };
  },
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('evidence_log')
    .set({
      cosigned_size: move.to.size,
      cosigned_root: move.to.root,
      checkpoint: move.to.checkpoint,
      cosigned_at_ms: move.to.atMs,
    })
    .where('appliance_id', '=', key.applianceId)
    .where('epoch', '=', key.epoch)
    .where('cosigned_size', '=', move.from.size)
    .where('cosigned_root', '=', move.from.root)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Hashes of stored tree nodes as `level/index` -> hex; those that are not there are left out. */
export async function readNodes(
  trx: Tx,
  key: LogRef,
  wanted: readonly { level: number; index: number }[],
): Promise<Map<string, string>> {
  if (wanted.length === 0) return new Map();
  const rows = await trx
    .selectFrom('evidence_node')
    .select(['level', 'idx', 'hash'])
    .where('appliance_id', '=', key.applianceId)
    .where('epoch', '=', key.epoch)
    .where((eb) => eb.or(wanted.map(({ level, index }) => eb.and([eb('level', '=', level), eb('idx', '=', index)]))))
    .execute();
  return new Map(rows.map(({ level, idx, hash }) => [`${level}/${idx}`, hash]));
}

export interface StoredEntry extends NewEntry {
  receivedAtMs: number;
}

/** Entries of a log below `before`, newest first. */
export async function listEntries(
  trx: Tx,
  key: LogRef,
  { before, limit, kinds }: { before?: number; limit: number; kinds?: readonly string[] },
): Promise<StoredEntry[]> {
  const all = trx
    .selectFrom('evidence_entry')
    .selectAll()
    .where('appliance_id', '=', key.applianceId)
    .where('epoch', '=', key.epoch)
    .orderBy('seq', 'desc')
    .limit(limit);
  const older = before === undefined ? all : all.where('seq', '<', before);
  const rows = await (kinds === undefined ? older : older.where('kind', 'in', [...kinds])).execute();
  return rows.map((row) => ({
    seq: row.seq,
    leafHash: row.leaf_hash,
    envelope: row.envelope,
    kind: row.kind,
    actor: row.actor,
    outcomeCode: row.outcome_code,
    outcomeText: row.outcome_text,
    target: row.target,
    incidentId: row.incident_id,
    wallTimeMs: row.wall_time_ms,
    receivedAtMs: row.received_at_ms,
  }));
}

export async function readEnvelope(trx: Tx, key: LogRef, seq: number): Promise<string | undefined> {
  const row = await trx
    .selectFrom('evidence_entry')
    .select('envelope')
    .where('appliance_id', '=', key.applianceId)
    .where('epoch', '=', key.epoch)
    .where('seq', '=', seq)
    .executeTakeFirst();
  return row?.envelope;
}

/** How far each of these boxes' present logs is cosigned. */
export async function readCosignedSizes(trx: Tx, applianceIds: readonly string[]): Promise<Map<string, number>> {
  if (applianceIds.length === 0) return new Map();
  const rows = await trx
    .selectFrom('appliance')
    .innerJoin('evidence_log', (join) =>
      join.onRef('evidence_log.appliance_id', '=', 'appliance.id').onRef('evidence_log.epoch', '=', 'appliance.epoch'),
    )
    .select(['appliance.id', 'evidence_log.cosigned_size'])
    .where('appliance.id', 'in', [...applianceIds])
    .execute();
  return new Map(rows.map((row) => [row.id, row.cosigned_size]));
}

/** The keys that followed the first one of a log, in order. */
export async function readKeyTurns(trx: Tx, key: LogRef): Promise<{ seq: number; key: string }[]> {
  const rows = await trx
    .selectFrom('evidence_key')
    .select(['seq', 'public_key'])
    .where('appliance_id', '=', key.applianceId)
    .where('epoch', '=', key.epoch)
    .orderBy('seq')
    .execute();
  return rows.map((row) => ({ seq: row.seq, key: row.public_key }));
}

export async function addKeyTurns(
  trx: Tx,
  key: LogKey,
  turns: readonly { readonly seq: number; readonly key: string }[],
): Promise<void> {
  for (const turn of turns) {
    await trx
      .insertInto('evidence_key')
      .values({
        appliance_id: key.applianceId,
        partner_id: key.partnerId,
        epoch: key.epoch,
        seq: turn.seq,
        public_key: turn.key,
      })
      .execute();
  }
}
