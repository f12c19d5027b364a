import type { CheckGoneRow, CheckRow } from '@sitewarden/agent-proto/http';
import { sql } from 'kysely';
import type { Tx } from '../types.ts';
import type { RowOwner } from './agents.ts';
import { inChunks, lastOfEach, plainText } from './bulk.ts';

/** `source` of results of the box itself. */
export const BOX_SOURCE = 'box';

/** In the order they came: of a result and its end, the later one counts. */
export async function storeChecks(trx: Tx, owner: RowOwner, rows: readonly (CheckRow | CheckGoneRow)[]): Promise<void> {
  const latest = lastOfEach(rows, (row) => JSON.stringify([row.agentId, row.check, plainText(row.subject)]));
  await upsertChecks(
    trx,
    owner,
    latest.filter((row) => row.type === 'check'),
  );
  const gone = latest.filter((row) => row.type === 'check_gone');
  await inChunks(gone, (chunk) =>
    trx
      .deleteFrom('check_latest')
      .where('appliance_id', '=', owner.applianceId)
      .where((eb) =>
        eb.or(
          chunk.map(({ agentId, check, subject }) =>
            eb.and({ source: agentId ?? BOX_SOURCE, check_name: check, subject: plainText(subject) }),
          ),
        ),
      )
      .execute(),
  );
}

async function upsertChecks(trx: Tx, owner: RowOwner, rows: readonly CheckRow[]): Promise<void> {
  await inChunks(rows, (chunk) =>
    trx
      .insertInto('check_latest')
      .values(
        chunk.map((row) => ({
          appliance_id: owner.applianceId,
          partner_id: owner.partnerId,
          site_id: owner.siteId,
          source: row.agentId ?? BOX_SOURCE,
          check_name: row.check,
          subject: plainText(row.subject),
          status: row.status,
          severity: row.severity,
          since_ms: row.sinceMs,
          row: JSON.stringify(row),
          received_at_ms: owner.receivedAtMs,
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(['appliance_id', 'source', 'check_name', 'subject']).doUpdateSet((eb) => ({
          site_id: eb.ref('excluded.site_id'),
          status: eb.ref('excluded.status'),
          severity: eb.ref('excluded.severity'),
          since_ms: eb.ref('excluded.since_ms'),
          row: eb.ref('excluded.row'),
          received_at_ms: eb.ref('excluded.received_at_ms'),
        })),
      )
      .execute(),
  );
}

/** Results that are not a pass, of many boxes: who and what. */
export async function listNotPassed(
  trx: Tx,
  applianceIds: readonly string[],
): Promise<{ applianceId: string; source: string; status: string }[]> {
  if (applianceIds.length === 0) return [];
  const rows = await trx
    .selectFrom('check_latest')
    .select(['appliance_id', 'source', 'status'])
    .where('appliance_id', 'in', [...applianceIds])
    .where(sql<boolean>`status IN ('fail', 'unknown')`)
    .execute();
  return rows.map((row) => ({ applianceId: row.appliance_id, source: row.source, status: row.status }));
}

/** All latest results of one box and its agents. */
export async function listChecks(trx: Tx, applianceId: string): Promise<{ source: string; row: CheckRow }[]> {
  const rows = await trx
    .selectFrom('check_latest')
    .select(['source', 'row'])
    .where('appliance_id', '=', applianceId)
    .orderBy('source')
    .orderBy('check_name')
    .orderBy('subject')
    .execute();
  return rows.map(({ source, row }) => ({ source, row: JSON.parse(row) as CheckRow }));
}
