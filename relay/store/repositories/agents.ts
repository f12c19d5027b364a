import type { AgentRow } from '@sitewarden/agent-proto/http';
import type { Tx } from '../types.ts';
import { inChunks, lastOfEach, plainText } from './bulk.ts';

/** Whose rows: every row a box sends is stored under its own appliance and site, whatever it says. */
export interface RowOwner {
  applianceId: string;
  partnerId: string;
  siteId: string;
  receivedAtMs: number;
}

export async function upsertAgents(trx: Tx, owner: RowOwner, rows: readonly AgentRow[]): Promise<void> {
  await inChunks(
    lastOfEach(rows, (row) => row.id),
    (chunk) =>
      trx
        .insertInto('agent')
        .values(
          chunk.map((row) => ({
            id: row.id,
            partner_id: owner.partnerId,
            site_id: owner.siteId,
            appliance_id: owner.applianceId,
            hostname: plainText(row.hostname),
            os_family: plainText(row.osFamily),
            os_version: plainText(row.osVersion),
            agent_version: plainText(row.agentVersion),
            tier: row.tier,
            state: row.state,
            connected: row.connected ? 1 : 0,
            enrolled_at_ms: row.enrolledAtMs,
            last_heartbeat_at_ms: row.lastHeartbeatAtMs,
            telemetry: JSON.stringify(row.telemetry),
            received_at_ms: owner.receivedAtMs,
          })),
        )
        .onConflict((conflict) =>
          conflict.columns(['appliance_id', 'id']).doUpdateSet((eb) => ({
            site_id: eb.ref('excluded.site_id'),
            hostname: eb.ref('excluded.hostname'),
            os_family: eb.ref('excluded.os_family'),
            os_version: eb.ref('excluded.os_version'),
            agent_version: eb.ref('excluded.agent_version'),
            tier: eb.ref('excluded.tier'),
            state: eb.ref('excluded.state'),
            connected: eb.ref('excluded.connected'),
            enrolled_at_ms: eb.ref('excluded.enrolled_at_ms'),
            last_heartbeat_at_ms: eb.ref('excluded.last_heartbeat_at_ms'),
            telemetry: eb.ref('excluded.telemetry'),
            received_at_ms: eb.ref('excluded.received_at_ms'),
          })),
        )
        .execute(),
  );
}
