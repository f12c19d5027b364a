import type { Tx } from '../store/index.ts';
import { auditHash, GENESIS } from './append.ts';

const PAGE = 1000;

/** `brokenAt`: id of the first event that does not follow from the one before; null when the chain holds. */
export interface AuditVerdict {
  readonly events: number;
  readonly brokenAt: number | null;
}

/** Walks the chain of one tenant from its beginning. A cut at the end cannot be seen from inside. */
export async function verifyAudit(trx: Tx, partnerId: string): Promise<AuditVerdict> {
  let prev = GENESIS;
  let events = 0;
  for (let lastId = 0; ; ) {
    const page = await trx
      .selectFrom('audit_event')
      .selectAll()
      .where('partner_id', '=', partnerId)
      .where('id', '>', lastId)
      .orderBy('id')
      .limit(PAGE)
      .execute();
    for (const event of page) {
      if (event.prev_hash !== prev || event.hash !== auditHash(prev, event)) return { events, brokenAt: event.id };
      prev = event.hash;
      lastId = event.id;
      events += 1;
    }
    if (page.length < PAGE) return { events, brokenAt: null };
  }
}
