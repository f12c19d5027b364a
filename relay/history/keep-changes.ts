import type { CheckGoneRow, CheckRow } from '@sitewarden/agent-proto/http';
import type { Tx } from '../store/index.ts';
import { plainText } from '../store/repositories/bulk.ts';
import { addChanges, listHeld } from '../store/repositories/check-history.ts';
import { changesOf, type Held, type HistoryStatus, keyOf } from './check-changes.ts';

/** To be called before the latest results are replaced: they say what a row changes. */
export async function keepChanges(
  trx: Tx,
  owner: { applianceId: string; partnerId: string; receivedAtMs: number },
  rows: readonly (CheckRow | CheckGoneRow)[],
): Promise<void> {
  const agentIds = new Set(rows.flatMap(({ agentId }) => agentId ?? []));
  const before = new Map<string, Held>();
  for (const { status, fromMs, ...key } of await listHeld(trx, owner.applianceId, [...agentIds])) {
    before.set(keyOf(key), { status: status as HistoryStatus, fromMs });
  }
  const stored = rows.map((row) => ({ ...row, subject: plainText(row.subject) }));
  await addChanges(trx, owner, changesOf(stored, before, owner.receivedAtMs));
}
