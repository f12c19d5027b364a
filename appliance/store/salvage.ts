import { createHash } from 'node:crypto';
import { type SqliteDatabase, withTransaction } from '@sitewarden/kit/sqlite';
import Database from 'better-sqlite3';
import { renumberLanes, setBackCursors } from './salvage-repair.ts';

/** The box must serve its site again soon: what cannot be read by then stays in the file that was set aside. */
const BUDGET_MS = 6000;
const ROWS_PER_LOOK = 256;

interface SalvagedTable {
  readonly name: string;
  readonly hasRowid: boolean;
  /** Columns whose text must be JSON to be of use. */
  readonly json?: readonly string[];
}

/** The dearest first. Evidence is not copied row by row but as far as its chain holds; its tree is made anew. */
const TABLES: readonly SalvagedTable[] = [
  { name: 'state', hasRowid: false, json: ['value'] },
  { name: 'stage_cursor', hasRowid: false },
  { name: 'agent', hasRowid: true, json: ['telemetry'] },
  { name: 'agent_certificate', hasRowid: true },
  { name: 'enroll_token', hasRowid: true },
  { name: 'evidence_checkpoint', hasRowid: true },
  { name: 'outbox_lane', hasRowid: false },
  { name: 'relay_order', hasRowid: true, json: ['params'] },
  { name: 'incident', hasRowid: true, json: ['controls', 'facts'] },
  { name: 'action_run', hasRowid: true, json: ['params', 'before', 'after'] },
  { name: 'agent_order', hasRowid: true, json: ['params'] },
  { name: 'change', hasRowid: true, json: ['body'] },
  { name: 'outbox_row', hasRowid: false },
  { name: 'loss', hasRowid: false },
  { name: 'outbox_aside', hasRowid: false },
  { name: 'report', hasRowid: true },
  { name: 'result_latest', hasRowid: false, json: ['controls', 'facts'] },
  { name: 'rmm_latest', hasRowid: false, json: ['findings'] },
  { name: 'device', hasRowid: true, json: ['addresses', 'services', 'probes'] },
  { name: 'result_history', hasRowid: true, json: ['facts'] },
];

export interface Salvaged {
  readonly rows: number;
  /** Tables that could not be read to their end. */
  readonly broken: readonly string[];
  readonly evidenceSize: number;
}

/** Brings over what can still be read from a database that was set aside. Never throws for what is wrong with it. */
export function salvage(to: SqliteDatabase, fromPath: string): Salvaged {
  const endMs = performance.now() + BUDGET_MS;
  let from: SqliteDatabase;
  try {
    from = new Database(fromPath, { readonly: true, fileMustExist: true });
    from.pragma('trusted_schema = OFF');
  } catch {
    return { rows: 0, broken: ['all'], evidenceSize: 0 };
  }
  try {
    return withTransaction(to, () => {
      const broken: string[] = [];
      let rows = 0;
      const evidenceSize = copyEvidence(from, to);
      for (const table of TABLES) {
        const copied = copyTable(from, to, { ...table, endMs });
        rows += copied.rows;
        if (!copied.isWhole) broken.push(table.name);
      }
      // What a checkpoint signs must be there.
      to.prepare('DELETE FROM evidence_checkpoint WHERE size > ?').run(evidenceSize);
      setBackCursors(to);
      renumberLanes(to);
      return { rows: rows + evidenceSize, broken, evidenceSize };
    });
  } finally {
    from.close();
  }
}

interface Copy extends SalvagedTable {
  readonly endMs: number;
}

/** From the start until a page cannot be read, then from the end until the same. */
function copyTable(from: SqliteDatabase, to: SqliteDatabase, table: Copy): { rows: number; isWhole: boolean } {
  const columns = sharedColumns(from, to, table.name);
  const list = columns.map((name) => `"${name}"`).join(', ');
  const insert = to.prepare(
    `INSERT OR IGNORE INTO ${table.name} (${list}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  const copyRow = (row: Record<string, unknown>): number => {
    if (table.json?.some((column) => !isJson(row[column]))) return 0;
    try {
      return insert.run(columns.map((name) => row[name] ?? null)).changes;
    } catch {
      // A row that breaks a rule of the schema is damage too.
      return 0;
    }
  };
  let rows = 0;
  const walk = (order: string): boolean => {
    try {
      let seen = 0;
      for (const row of from.prepare(`SELECT ${list} FROM ${table.name} NOT INDEXED ${order}`).iterate()) {
        rows += copyRow(row as Record<string, unknown>);
        seen += 1;
        if (seen % ROWS_PER_LOOK === 0 && performance.now() > table.endMs) return false;
      }
      return true;
    } catch {
      return false;
    }
  };
  if (walk(table.hasRowid ? 'ORDER BY rowid' : '')) return { rows, isWhole: true };
  if (table.hasRowid && performance.now() < table.endMs) walk('ORDER BY rowid DESC');
  return { rows, isWhole: false };
}

/** What was set aside may be of the version before. */
function sharedColumns(from: SqliteDatabase, to: SqliteDatabase, table: string): string[] {
  const columnsOf = (db: SqliteDatabase) =>
    (db.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name);
  try {
    const there = new Set(columnsOf(from));
    return columnsOf(to).filter((name) => there.size === 0 || there.has(name));
  } catch {
    return columnsOf(to);
  }
}

function isJson(text: unknown): boolean {
  // NULL stands where nothing is known yet.
  if (text === null) return true;
  try {
    JSON.parse(String(text));
    return true;
  } catch {
    return false;
  }
}

interface Leaf {
  readonly seq: number;
  readonly kind: string;
  readonly envelope: Buffer;
  readonly leaf_hash: Buffer;
  readonly prev: Buffer;
  readonly at_ms: number;
}

/** Entries from 0 as long as each is the one its successor names; anything else would fork the log. */
function copyEvidence(from: SqliteDatabase, to: SqliteDatabase): number {
  const insert = to.prepare(
    'INSERT INTO evidence_leaf (seq, kind, envelope, leaf_hash, prev, at_ms) VALUES (?, ?, ?, ?, ?, ?)',
  );
  let size = 0;
  let prev: Buffer = Buffer.alloc(0);
  try {
    const leaves = from.prepare('SELECT * FROM evidence_leaf NOT INDEXED ORDER BY rowid').iterate();
    for (const row of leaves as IterableIterator<Leaf>) {
      const hash = createHash('sha256')
        .update(Buffer.from([0]))
        .update(row.envelope)
        .digest();
      if (row.seq !== size || !prev.equals(row.prev) || !hash.equals(row.leaf_hash)) break;
      insert.run(row.seq, row.kind, row.envelope, row.leaf_hash, row.prev, row.at_ms);
      prev = hash;
      size += 1;
    }
  } catch {
    // The rest cannot be read.
  }
  return size;
}
