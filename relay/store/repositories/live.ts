import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { CompiledQuery } from 'kysely';
import type { Store, Tx } from '../types.ts';

/** One check-in on its way into the store. */
export interface CheckinWrite {
  partnerId: string;
  applianceId: string;
  epoch: number;
  previousToken: string | null;
  bodyHash: string;
  /** The exact body. */
  body: string;
  counter: number;
  bootId: string;
  clockOffsetMs: number;
  queueDepth: number;
  queueOldestMs: number;
  nowMs: number;
  /** Of the token that is given out. */
  random: Uint8Array;
}

/** What the store knows of the box at this moment of the transaction. */
export interface KnownBox {
  siteId: string;
  state: string;
  claimedAtMs: number;
  configGeneration: number;
  pendingOrders: number;
  /** A release waits for the box. */
  isReleasing: boolean;
  /** After a quarantine: only this boot may continue the chain, until then. */
  genuine: { bootId: string; untilMs: number } | null;
  live: {
    token: string;
    previousToken: string | null;
    previousBodyHash: string | null;
    lastCheckinAtMs: number;
    onlineSinceMs: number | null;
  } | null;
}

/** The row's new chain; null: nothing of it is stored. */
export interface LiveChain {
  token: string;
  previousToken: string | null;
  previousBodyHash: string | null;
  onlineSinceMs: number;
}

/** Pure: may run again with other knowledge after a deadlock. */
export type CheckinDecider<D extends { chain: LiveChain | null }> = (known: KnownBox | null, write: CheckinWrite) => D;

const COLUMNS = `appliance_id, partner_id, site_id, last_checkin_at_ms, counter, token, previous_token,
  previous_body_hash, boot_id, clock_offset_ms, body, online_since_ms, queue_depth, queue_oldest_ms`;
const COLUMN_COUNT = 14;
const ON_CONFLICT = `ON CONFLICT (appliance_id) DO UPDATE SET site_id = excluded.site_id,
  last_checkin_at_ms = excluded.last_checkin_at_ms, counter = excluded.counter, token = excluded.token,
  previous_token = excluded.previous_token, previous_body_hash = excluded.previous_body_hash,
  boot_id = excluded.boot_id, clock_offset_ms = excluded.clock_offset_ms, body = excluded.body,
  online_since_ms = excluded.online_since_ms, queue_depth = excluded.queue_depth,
  queue_oldest_ms = excluded.queue_oldest_ms`;

/** Orders already begun are not counted, the box knows them. */
const KNOWN = `SELECT a.id, a.partner_id, a.site_id, a.state, a.claimed_at_ms, a.release_id, a.genuine_boot_id,
    a.genuine_until_ms, s.config_generation,
    (SELECT count(*) FROM site_order o
      WHERE o.appliance_id = a.id AND o.state IN ('queued', 'delivered') AND o.expires_at_ms > :now) AS pending_orders,
    l.token, l.previous_token, l.previous_body_hash, l.last_checkin_at_ms, l.online_since_ms`;
const REST = 'JOIN site s ON s.id = a.site_id LEFT JOIN appliance_live l ON l.appliance_id = a.id';

/**
 * The hot statements, for the test that pins their plans. One statement reads a whole batch: a join costs ten times
 * more when it is begun anew for each box.
 */
export const CHECKIN_SQL = {
  sqliteKnown: `${KNOWN.replace(':now', '?')} FROM json_each(?) j CROSS JOIN appliance a ON a.id = j.value ${REST}`,
  sqliteWrite: `INSERT INTO appliance_live (${COLUMNS}) VALUES (${'?, '.repeat(COLUMN_COUNT - 1)}?) ${ON_CONFLICT}`,
  /** NO KEY, because rows that refer to the appliance are inserted all the time; ordered, so that two relays never deadlock. */
  postgresKnown: `${KNOWN.replace(':now', '$1')} FROM appliance a ${REST}
    WHERE a.id = ANY ($2) ORDER BY a.id FOR NO KEY UPDATE OF a`,
} as const;

interface KnownRow {
  id: string;
  partner_id: string;
  site_id: string;
  state: string;
  claimed_at_ms: number;
  release_id: string | null;
  genuine_boot_id: string | null;
  genuine_until_ms: number | null;
  config_generation: number;
  pending_orders: number;
  token: string | null;
  previous_token: string | null;
  previous_body_hash: string | null;
  last_checkin_at_ms: number;
  online_since_ms: number | null;
}

type Decided = { chain: LiveChain | null };

/**
 * Decides and stores many check-ins in as few transactions as the engine allows (SQLite: one; PostgreSQL: one a
 * tenant), at most one small row each. Resolves after the commits, one decision a check-in, in order.
 */
export async function commitCheckins<D extends Decided>(
  store: Store,
  writes: readonly CheckinWrite[],
  decide: CheckinDecider<D>,
): Promise<D[]> {
  if (store.sqliteBatch) return store.sqliteBatch((db) => writeSqlite(db, writes, decide));
  return writePostgres(store, writes, decide);
}

const statements = new WeakMap<SqliteDatabase, ReturnType<typeof prepare>>();

function prepare(db: SqliteDatabase) {
  return {
    known: db.prepare<unknown[], KnownRow>(CHECKIN_SQL.sqliteKnown),
    write: db.prepare(CHECKIN_SQL.sqliteWrite),
  };
}

function writeSqlite<D extends Decided>(
  db: SqliteDatabase,
  writes: readonly CheckinWrite[],
  decide: CheckinDecider<D>,
): D[] {
  let prepared = statements.get(db);
  if (prepared === undefined) {
    prepared = prepare(db);
    statements.set(db, prepared);
  }
  const rows = prepared.known.all(writes[0]?.nowMs ?? 0, JSON.stringify(idsOf(writes)));
  const { decisions, pending } = decideAll(rows, writes, decide);
  for (const values of pending.values()) prepared.write.run(...values);
  return decisions;
}

async function writePostgres<D extends Decided>(
  store: Store,
  writes: readonly CheckinWrite[],
  decide: CheckinDecider<D>,
): Promise<D[]> {
  const byTenant = new Map<string, number[]>();
  for (const [index, { partnerId }] of writes.entries()) {
    const all = byTenant.get(partnerId);
    if (all) all.push(index);
    else byTenant.set(partnerId, [index]);
  }
  const decisions: D[] = new Array(writes.length);
  await Promise.all(
    [...byTenant].map(async ([partnerId, indexes]) => {
      const own = indexes.map((index) => writes[index] as CheckinWrite);
      const decided = await store.inTenant(partnerId, (trx) => writeTenant(trx, own, decide));
      for (const [at, index] of indexes.entries()) decisions[index] = decided[at] as D;
    }),
  );
  return decisions;
}

async function writeTenant<D extends Decided>(
  trx: Tx,
  writes: readonly CheckinWrite[],
  decide: CheckinDecider<D>,
): Promise<D[]> {
  const query = CompiledQuery.raw(CHECKIN_SQL.postgresKnown, [writes[0]?.nowMs ?? 0, idsOf(writes)]);
  const { rows } = await trx.executeQuery<KnownRow>(query);
  const { decisions, pending } = decideAll(rows, writes, decide);
  if (pending.size > 0) {
    const values = [...pending.values()];
    const tuples = values.map((_, row) => `(${values[0]?.map((_value, at) => `$${row * COLUMN_COUNT + at + 1}`)})`);
    const text = `INSERT INTO appliance_live (${COLUMNS}) VALUES ${tuples.join(', ')} ${ON_CONFLICT}`;
    await trx.executeQuery(CompiledQuery.raw(text, values.flat()));
  }
  return decisions;
}

const idsOf = (writes: readonly CheckinWrite[]): string[] => [...new Set(writes.map(({ applianceId }) => applianceId))];

function decideAll<D extends Decided>(
  rows: readonly KnownRow[],
  writes: readonly CheckinWrite[],
  decide: CheckinDecider<D>,
): { decisions: D[]; pending: Map<string, unknown[]> } {
  const boxes = new Map(rows.map((row) => [row.id, row]));
  const pending = new Map<string, unknown[]>();
  const decisions = writes.map((write) => {
    const row = boxes.get(write.applianceId);
    // The key directory already said whose box it is; this holds even if it were wrong.
    const box = row?.partner_id === write.partnerId ? knownBox(row) : null;
    const decision = decide(box, write);
    if (row && box && decision.chain) {
      pending.set(write.applianceId, valuesOf(box.siteId, write, decision.chain));
      // A second check-in of the same box in this batch follows the first one.
      const { token, previousToken, previousBodyHash, onlineSinceMs } = decision.chain;
      row.token = token;
      row.previous_token = previousToken;
      row.previous_body_hash = previousBodyHash;
      row.last_checkin_at_ms = write.nowMs;
      row.online_since_ms = onlineSinceMs;
    }
    return decision;
  });
  return { decisions, pending };
}

function valuesOf(siteId: string, write: CheckinWrite, chain: LiveChain): unknown[] {
  return [
    write.applianceId,
    write.partnerId,
    siteId,
    write.nowMs,
    write.counter,
    chain.token,
    chain.previousToken,
    chain.previousBodyHash,
    write.bootId,
    write.clockOffsetMs,
    write.body,
    chain.onlineSinceMs,
    write.queueDepth,
    write.queueOldestMs,
  ];
}

function knownBox(row: KnownRow): KnownBox {
  return {
    siteId: row.site_id,
    state: row.state,
    claimedAtMs: row.claimed_at_ms,
    configGeneration: row.config_generation,
    pendingOrders: row.pending_orders,
    isReleasing: row.release_id !== null,
    genuine: row.genuine_boot_id === null ? null : { bootId: row.genuine_boot_id, untilMs: row.genuine_until_ms ?? 0 },
    live:
      row.token === null
        ? null
        : {
            token: row.token,
            previousToken: row.previous_token,
            previousBodyHash: row.previous_body_hash,
            lastCheckinAtMs: row.last_checkin_at_ms,
            onlineSinceMs: row.online_since_ms,
          },
  };
}

/** Where the chain of one box stands, outside a check-in. */
export interface KnownChain {
  state: string;
  claimedAtMs: number;
  live: {
    token: string;
    previousToken: string | null;
    previousBodyHash: string | null;
    lastCheckinAtMs: number;
  } | null;
}

export async function readChain(trx: Tx, applianceId: string): Promise<KnownChain | undefined> {
  const row = await trx
    .selectFrom('appliance as a')
    .leftJoin('appliance_live as l', 'l.appliance_id', 'a.id')
    .select(['a.state', 'a.claimed_at_ms', 'l.token', 'l.previous_token', 'l.previous_body_hash'])
    .select('l.last_checkin_at_ms')
    .where('a.id', '=', applianceId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { token, previous_token: previousToken, previous_body_hash: previousBodyHash, last_checkin_at_ms: atMs } = row;
  const live = token === null ? null : { token, previousToken, previousBodyHash, lastCheckinAtMs: atMs ?? 0 };
  return { state: row.state, claimedAtMs: row.claimed_at_ms, live };
}

/** Since it was claimed. */
export async function hasCheckedIn(trx: Tx, applianceId: string): Promise<boolean> {
  const chain = await readChain(trx, applianceId);
  return chain?.live != null && chain.live.lastCheckinAtMs >= chain.claimedAtMs;
}

/** Takes a box out of service because its identity is in use twice. False when it already was. */
export async function quarantine(trx: Tx, applianceId: string, nowMs: number): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('appliance')
    .set({ state: 'quarantined', quarantined_at_ms: nowMs })
    .where('id', '=', applianceId)
    .where('state', '=', 'active')
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/**
 * Puts a quarantined box of a site back into service and opens its chain: any token continues it, the last token stays
 * as what later ones must rise above. With `genuine` only that machine may continue it until then, so that a copy is not
 * quicker. False when this site has no such box in quarantine.
 */
export async function releaseQuarantined(
  trx: Tx,
  box: { siteId: string; applianceId: string; genuine?: { bootId: string; untilMs: number } },
): Promise<boolean> {
  // The row of the appliance first, like a check-in: whoever has it decides alone.
  const { numUpdatedRows } = await trx
    .updateTable('appliance')
    .set({
      state: 'active',
      quarantined_at_ms: null,
      genuine_boot_id: box.genuine?.bootId ?? null,
      genuine_until_ms: box.genuine?.untilMs ?? null,
    })
    .where('id', '=', box.applianceId)
    .where('site_id', '=', box.siteId)
    .where('state', '=', 'quarantined')
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return false;
  await trx
    .updateTable('appliance_live')
    .set({ previous_token: null, previous_body_hash: null })
    .where('appliance_id', '=', box.applianceId)
    .execute();
  return true;
}

/** Sites whose box was last heard of in one of these spans, beginnings left out. */
export async function listHeardWithin(
  trx: Tx,
  spans: readonly { afterMs: number; throughMs: number }[],
): Promise<string[]> {
  const rows = await trx
    .selectFrom('appliance_live')
    .select('site_id')
    .where((eb) =>
      eb.or(
        spans.map(({ afterMs, throughMs }) =>
          eb.and([eb('last_checkin_at_ms', '>', afterMs), eb('last_checkin_at_ms', '<=', throughMs)]),
        ),
      ),
    )
    .execute();
  return rows.map((row) => row.site_id);
}
