import { createHash } from 'node:crypto';
import { canonicalBytes } from '@sitewarden/agent-proto/canonical';
import { lockFor, type Tx } from '../store/index.ts';

/** `action`: noun.verb like `claim.approved`. `ref`: the id it is about. `detail`: flat, no secrets. */
export interface AuditEntry {
  readonly partnerId: string;
  readonly atMs: number;
  readonly actor: string;
  readonly action: string;
  readonly ref: string;
  readonly detail?: Readonly<Record<string, string | number | boolean | null>>;
}

export const GENESIS = '0'.repeat(64);

/** The hash that chains an event to the one before: SHA-256 over its hash and the canonical JSON of the event. */
export function auditHash(
  prevHash: string,
  event: { partner_id: string; at_ms: number; actor: string; action: string; ref: string; detail: string },
): string {
  const { partner_id, at_ms, actor, action, ref, detail } = event;
  return createHash('sha256')
    .update(prevHash)
    .update(canonicalBytes({ partner_id, at_ms, actor, action, ref, detail }))
    .digest('hex');
}

/**
 * Appends an event in the transaction of the change it tells of: both are there, or neither. On PostgreSQL appenders of
 * one tenant wait for each other until they commit; the unique (partner_id, prev_hash) would refuse a fork anyway.
 */
export async function appendAudit(trx: Tx, entry: AuditEntry): Promise<void> {
  await lockFor(trx, `audit ${entry.partnerId}`);
  const last = await trx
    .selectFrom('audit_event')
    .select('hash')
    .where('partner_id', '=', entry.partnerId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const row = {
    partner_id: entry.partnerId,
    at_ms: entry.atMs,
    actor: entry.actor,
    action: entry.action,
    ref: entry.ref,
    detail: JSON.stringify(entry.detail ?? {}),
  };
  const prev_hash = last?.hash ?? GENESIS;
  await trx
    .insertInto('audit_event')
    .values({ ...row, prev_hash, hash: auditHash(prev_hash, row) })
    .execute();
}
