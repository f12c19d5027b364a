import { lockFor } from '../engine.ts';
import type { DirectoryTx, Tx } from '../types.ts';

export interface FailureRow {
  readonly drainedAtMs: number;
  readonly lastAtMs: number;
  readonly knownUntilMs: number;
}

/** What the keys have used up; keys nobody has failed at are left out. Until the transaction ends others wait. */
export async function readFailures(trx: DirectoryTx, keys: readonly string[]): Promise<Map<string, FailureRow>> {
  // In one order everywhere: locks taken so cannot deadlock.
  for (const key of [...keys].sort()) await lockFor(trx as unknown as Tx, `sign-in ${key}`);
  const rows = await trx
    .selectFrom('sign_in_failure')
    .selectAll()
    .where('key', 'in', [...keys])
    .execute();
  return new Map(
    rows.map((row) => [
      row.key,
      { drainedAtMs: row.drained_at_ms, lastAtMs: row.last_at_ms, knownUntilMs: row.known_until_ms },
    ]),
  );
}

export async function writeFailures(trx: DirectoryTx, rows: ReadonlyMap<string, FailureRow>): Promise<void> {
  await trx
    .insertInto('sign_in_failure')
    .values(
      [...rows].map(([key, row]) => ({
        key,
        drained_at_ms: row.drainedAtMs,
        last_at_ms: row.lastAtMs,
        known_until_ms: row.knownUntilMs,
      })),
    )
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet((eb) => ({
        drained_at_ms: eb.ref('excluded.drained_at_ms'),
        last_at_ms: eb.ref('excluded.last_at_ms'),
        known_until_ms: eb.ref('excluded.known_until_ms'),
      })),
    )
    .execute();
}

/** Removes what has drained and says nothing any more. */
export async function purgeFailures(trx: DirectoryTx, nowMs: number): Promise<void> {
  await trx
    .deleteFrom('sign_in_failure')
    .where('drained_at_ms', '<=', nowMs)
    .where('known_until_ms', '<=', nowMs)
    .execute();
}
