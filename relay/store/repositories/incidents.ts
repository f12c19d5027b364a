import type { ActionRunRow, IncidentRow } from '@sitewarden/agent-proto/http';
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
