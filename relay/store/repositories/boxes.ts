import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import type { Store } from '../types.ts';

export interface BoxRow {
  fingerprint: string;
  id: string;
  partner_id: string;
  site_id: string;
  epoch: number;
  state: string;
  dik: string;
  evk: string;
}

/** Hot: a fleet that comes once a minute is never in the cache. */
export const FIND_BOXES_SQL = `SELECT k.fingerprint, a.id, a.partner_id, a.site_id, a.epoch, a.state, a.dik, a.evk
  FROM json_each(?) j CROSS JOIN key_directory k ON k.fingerprint = j.value
  JOIN appliance a ON a.id = k.appliance_id AND a.partner_id = k.partner_id`;

const statements = new WeakMap<SqliteDatabase, { all(list: string): unknown[] }>();

/** Appliances by the fingerprints of their device keys, of whatever tenant; unknown keys are left out. */
export async function findBoxes(store: Store, fingerprints: readonly string[]): Promise<Map<string, BoxRow>> {
  const rows = store.sqliteBatch
    ? await store.sqliteBatch((db) => {
        const known = statements.get(db) ?? db.prepare<[string]>(FIND_BOXES_SQL);
        statements.set(db, known);
        return known.all(JSON.stringify(fingerprints)) as BoxRow[];
      })
    : await findByTenant(store, fingerprints);
  return new Map(rows.map((row) => [row.fingerprint, row]));
}

/** Where rows of tenants are only seen one tenant at a time. */
async function findByTenant(store: Store, fingerprints: readonly string[]): Promise<BoxRow[]> {
  const keys = await store.system((trx) =>
    trx
      .selectFrom('key_directory')
      .select(['fingerprint', 'partner_id', 'appliance_id'])
      .where('fingerprint', 'in', [...fingerprints])
      .execute(),
  );
  const byTenant = Map.groupBy(keys, (key) => key.partner_id);
  const found = await Promise.all(
    [...byTenant].map(([partnerId, own]) =>
      store.inTenant(partnerId, (trx) =>
        trx
          .selectFrom('appliance')
          .select(['id', 'partner_id', 'site_id', 'epoch', 'state', 'dik', 'evk'])
          .where(
            'id',
            'in',
            own.map((key) => key.appliance_id),
          )
          .execute(),
      ),
    ),
  );
  const appliances = new Map(found.flat().map((row) => [row.id, row]));
  return keys.flatMap((key) => {
    const row = appliances.get(key.appliance_id);
    return row ? [{ ...row, fingerprint: key.fingerprint }] : [];
  });
}

/** One appliance under its present key. */
export async function findBoxOf(
  store: Store,
  { partnerId, applianceId }: { partnerId: string; applianceId: string },
): Promise<BoxRow | undefined> {
  return store.inTenant(partnerId, (trx) =>
    trx
      .selectFrom('appliance')
      .select(['dik_fingerprint as fingerprint', 'id', 'partner_id', 'site_id', 'epoch', 'state', 'dik', 'evk'])
      .where('id', '=', applianceId)
      .executeTakeFirst(),
  );
}
