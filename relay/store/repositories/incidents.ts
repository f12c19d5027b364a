import type { ActionRunRow, IncidentRow } from '@sitewarden/agent-proto/http';
import { sql } from 'kysely';
import type { Tx } from '../types.ts';
import type { RowOwner } from './agents.ts';
import { inChunks, lastOfEach } from './bulk.ts';

export async function upsertIncidents(trx: Tx, owner: RowOwner, rows: readonly IncidentRow[]): Promise<void> {
  await inChunks(
    lastOfEach(rows, (row) => row.id),
    (chunk) =>
      trx
        .insertInto('incident')
        .values(
          chunk.map((row) => ({
            id: row.id,
            partner_id: owner.partnerId,
            site_id: owner.siteId,
            appliance_id: owner.applianceId,
            state: row.state,
            severity: row.severity,
            opened_at_ms: row.openedAtMs,
            changed_at_ms: row.changedAtMs,
            row: JSON.stringify(row),
          })),
        )
        .onConflict((conflict) =>
          conflict.columns(['appliance_id', 'id']).doUpdateSet((eb) => ({
            site_id: eb.ref('excluded.site_id'),
            state: eb.ref('excluded.state'),
            severity: eb.ref('excluded.severity'),
            opened_at_ms: eb.ref('excluded.opened_at_ms'),
            changed_at_ms: eb.ref('excluded.changed_at_ms'),
            row: eb.ref('excluded.row'),
          })),
        )
        .execute(),
  );
}

export async function upsertActionRuns(trx: Tx, owner: RowOwner, rows: readonly ActionRunRow[]): Promise<void> {
  await inChunks(
    lastOfEach(rows, (row) => row.id),
    (chunk) =>
      trx
        .insertInto('action_run')
        .values(
          chunk.map((row) => ({
            id: row.id,
            partner_id: owner.partnerId,
            site_id: owner.siteId,
            appliance_id: owner.applianceId,
            incident_id: row.incidentId,
            state: row.state,
            started_at_ms: row.startedAtMs,
            row: JSON.stringify(row),
          })),
        )
        .onConflict((conflict) =>
          conflict.columns(['appliance_id', 'id']).doUpdateSet((eb) => ({
            site_id: eb.ref('excluded.site_id'),
            incident_id: eb.ref('excluded.incident_id'),
            state: eb.ref('excluded.state'),
            started_at_ms: eb.ref('excluded.started_at_ms'),
            row: eb.ref('excluded.row'),
          })),
        )
        .execute(),
  );
}

export interface StoredIncident {
  applianceId: string;
  siteId: string;
  row: IncidentRow;
}

/** Incidents of a site, opened last first; `openOf` only those not resolved of that box. */
export async function listIncidents(
  trx: Tx,
  { siteId, openOf, limit }: { siteId: string; openOf?: string; limit: number },
): Promise<StoredIncident[]> {
  const all = trx
    .selectFrom('incident')
    .select(['appliance_id', 'site_id', 'row'])
    .where('site_id', '=', siteId)
    .orderBy('opened_at_ms', 'desc')
    .orderBy('id', 'desc')
    .limit(limit);
  const query =
    openOf === undefined ? all : all.where('appliance_id', '=', openOf).where(sql<boolean>`state <> 'resolved'`);
  const rows = await query.execute();
  return rows.map((row) => ({
    applianceId: row.appliance_id,
    siteId: row.site_id,
    row: JSON.parse(row.row) as IncidentRow,
  }));
}

/** What was done about these incidents, in the order it began. */
export async function listRunsOf(
  trx: Tx,
  incidents: readonly StoredIncident[],
): Promise<{ applianceId: string; row: ActionRunRow }[]> {
  if (incidents.length === 0) return [];
  const rows = await trx
    .selectFrom('action_run')
    .select(['appliance_id', 'row'])
    .where('appliance_id', 'in', [...new Set(incidents.map(({ applianceId }) => applianceId))])
    .where(
      'incident_id',
      'in',
      incidents.map(({ row }) => row.id),
    )
    .orderBy('started_at_ms')
    .orderBy('id')
    .execute();
  return rows.map((row) => ({ applianceId: row.appliance_id, row: JSON.parse(row.row) as ActionRunRow }));
}

/** What was done at a site, begun last first. */
export async function listRuns(trx: Tx, siteId: string, limit: number): Promise<ActionRunRow[]> {
  const rows = await trx
    .selectFrom('action_run')
    .select('row')
    .where('site_id', '=', siteId)
    .orderBy('started_at_ms', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(({ row }) => JSON.parse(row) as ActionRunRow);
}
