import type { TierNumber } from '@sitewarden/agent-proto/checks';
import type { AgentRow, RmmRow } from '@sitewarden/agent-proto/http';
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

/** Of agents this box told of before; the row of an agent comes before what it found. */
export async function storeRmm(trx: Tx, owner: RowOwner, rows: readonly RmmRow[]): Promise<void> {
  for (const { agentId, findings, lookedAtMs } of lastOfEach(rows, (row) => row.agentId)) {
    await trx
      .updateTable('agent')
      .set({ rmm: JSON.stringify(findings), rmm_looked_at_ms: lookedAtMs })
      .where('appliance_id', '=', owner.applianceId)
      .where('id', '=', agentId)
      .execute();
  }
}

/** The tier that the box of the site goes by; undefined: the site has no such agent, or it was removed. */
export async function agentTierOnBox(trx: Tx, siteId: string, agentId: string): Promise<TierNumber | undefined> {
  const row = await trx
    .selectFrom('agent')
    .select('tier')
    .where('site_id', '=', siteId)
    .where('id', '=', agentId)
    .where('state', '=', 'active')
    .orderBy('received_at_ms', 'desc')
    .executeTakeFirst();
  return row && (row.tier as TierNumber);
}

export interface StoredAgent {
  id: string;
  applianceId: string;
  hostname: string;
  osFamily: string;
  osVersion: string;
  agentVersion: string;
  tier: 0 | 1 | 2;
  state: 'active' | 'removed';
  connected: boolean;
  enrolledAtMs: number;
  lastHeartbeatAtMs: number | null;
  telemetry: string;
  receivedAtMs: number;
  /** Null: it never looked. */
  rmm: Pick<RmmRow, 'findings' | 'lookedAtMs'> | null;
}

/** Agents of a box that were not removed, by name. */
export async function listAgents(trx: Tx, applianceId: string): Promise<StoredAgent[]> {
  const rows = await trx
    .selectFrom('agent')
    .selectAll()
    .where('appliance_id', '=', applianceId)
    .where('state', '=', 'active')
    .orderBy('hostname')
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    applianceId: row.appliance_id,
    hostname: row.hostname,
    osFamily: row.os_family,
    osVersion: row.os_version,
    agentVersion: row.agent_version,
    tier: row.tier as 0 | 1 | 2,
    state: row.state as 'active' | 'removed',
    connected: row.connected === 1,
    enrolledAtMs: row.enrolled_at_ms,
    lastHeartbeatAtMs: row.last_heartbeat_at_ms,
    telemetry: row.telemetry,
    receivedAtMs: row.received_at_ms,
    rmm:
      row.rmm === null
        ? null
        : { findings: JSON.parse(row.rmm) as RmmRow['findings'], lookedAtMs: row.rmm_looked_at_ms ?? 0 },
  }));
}

/** What counting agents of many boxes needs of each agent that was not removed. */
export async function listAgentPulses(
  trx: Tx,
  applianceIds: readonly string[],
): Promise<Pick<StoredAgent, 'id' | 'applianceId' | 'connected' | 'lastHeartbeatAtMs' | 'receivedAtMs'>[]> {
  if (applianceIds.length === 0) return [];
  const rows = await trx
    .selectFrom('agent')
    .select(['id', 'appliance_id', 'connected', 'last_heartbeat_at_ms', 'received_at_ms'])
    .where('appliance_id', 'in', [...applianceIds])
    .where('state', '=', 'active')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    applianceId: row.appliance_id,
    connected: row.connected === 1,
    lastHeartbeatAtMs: row.last_heartbeat_at_ms,
    receivedAtMs: row.received_at_ms,
  }));
}
