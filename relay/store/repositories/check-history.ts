import type { Tx } from '../types.ts';
import { inChunks, plainText } from './bulk.ts';

export interface StoredChange {
  readonly agentId: string;
  readonly check: string;
  readonly subject: string;
  readonly status: string;
  readonly fromMs: number;
}

/** What the latest results of some agents say, and since when as far as the relay can vouch. */
export async function listHeld(trx: Tx, applianceId: string, agentIds: readonly string[]): Promise<StoredChange[]> {
  if (agentIds.length === 0) return [];
  const rows = await trx
    .selectFrom('check_latest')
    .select(['source', 'check_name', 'subject', 'status', 'since_ms', 'received_at_ms'])
    .where('appliance_id', '=', applianceId)
    .where('source', 'in', [...agentIds])
    .execute();
  return rows.map((row) => ({
    agentId: row.source,
    check: row.check_name,
    subject: row.subject,
    status: row.status,
    fromMs: Math.min(row.since_ms, row.received_at_ms),
  }));
}

export async function addChanges(
  trx: Tx,
  owner: { applianceId: string; partnerId: string },
  changes: readonly StoredChange[],
): Promise<void> {
  await inChunks(changes, (chunk) =>
    trx
      .insertInto('check_history')
      .values(
        chunk.map(({ agentId, check, subject, status, fromMs }) => ({
          appliance_id: owner.applianceId,
          partner_id: owner.partnerId,
          agent_id: agentId,
          check_name: check,
          subject: plainText(subject),
          from_ms: fromMs,
          status,
        })),
      )
      .onConflict((conflict) =>
        conflict
          .columns(['appliance_id', 'agent_id', 'check_name', 'subject', 'from_ms'])
          .doUpdateSet((eb) => ({ status: eb.ref('excluded.status') })),
      )
      .execute(),
  );
}

/** The newest changes of an agent, newest first. */
export async function listChanges(
  trx: Tx,
  { applianceId, agentId, limit }: { applianceId: string; agentId: string; limit: number },
): Promise<StoredChange[]> {
  const rows = await trx
    .selectFrom('check_history')
    .select(['check_name', 'subject', 'from_ms', 'status'])
    .where('appliance_id', '=', applianceId)
    .where('agent_id', '=', agentId)
    .orderBy('from_ms', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    agentId,
    check: row.check_name,
    subject: row.subject,
    fromMs: row.from_ms,
    status: row.status,
  }));
}

/** Removes what was over before then: the change that still held at that moment stays. */
export async function purgeChanges(trx: Tx, beforeMs: number): Promise<void> {
  await trx
    .deleteFrom('check_history')
    .where('from_ms', '<=', beforeMs)
    .where((eb) =>
      eb.or([
        eb('status', '=', 'gone'),
        eb.exists(
          eb
            .selectFrom('check_history as later')
            .select('later.from_ms')
            .whereRef('later.appliance_id', '=', 'check_history.appliance_id')
            .whereRef('later.agent_id', '=', 'check_history.agent_id')
            .whereRef('later.check_name', '=', 'check_history.check_name')
            .whereRef('later.subject', '=', 'check_history.subject')
            .whereRef('later.from_ms', '>', 'check_history.from_ms')
            .where('later.from_ms', '<=', beforeMs),
        ),
      ]),
    )
    .execute();
}
