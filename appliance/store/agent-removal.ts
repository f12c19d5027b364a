import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { endOpenOf } from './agent-orders.ts';
import * as agents from './agents.ts';
import { revokeOf } from './certificates.ts';
import * as changes from './changes.ts';

/**
 * The agent is not one of the site's any more: its certificates are revoked, what was asked of it has failed. False when
 * it was not active. Belongs in a transaction; emit the signals `agentRemoved`, `agentOrder` and `change` after it.
 */
export function removeAgent(db: SqliteDatabase, { id, atMs }: { id: string; atMs: number }): boolean {
  if (!agents.remove(db, { id, atMs })) return false;
  revokeOf(db, { agentId: id, atMs });
  endOpenOf(db, { agentId: id, code: 'AGENT_REMOVED', atMs });
  const agent = agents.byId(db, id);
  if (agent !== undefined) changes.append(db, { kind: 'agent_removed', refId: id, body: agents.toRow(agent), atMs });
  return true;
}
