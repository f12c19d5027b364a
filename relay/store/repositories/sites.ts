import { sql } from 'kysely';
import type { Tx } from '../types.ts';

export interface NewSite {
  id: string;
  clientId: string;
  name: string;
  agentTier: number;
  requiredServices: readonly string[];
  checkIntervalMs: number;
  heartbeatIntervalMs: number;
  createdAtMs: number;
}

export interface SiteSettings {
  name?: string;
  agentTier?: number;
  requiredServices?: readonly string[];
  checkIntervalMs?: number;
}

export async function hasSite(trx: Tx, siteId: string): Promise<boolean> {
  return (await trx.selectFrom('site').select('id').where('id', '=', siteId).executeTakeFirst()) !== undefined;
}

/**
 * The row of a site, locked by an update that changes nothing: who decides which box is there decides alone, on both
 * engines. Taken before claims and appliances. False: there is no such site.
 */
export async function lockSite(trx: Tx, siteId: string): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('site')
    .set((eb) => ({ config_generation: eb.ref('config_generation') }))
    .where('id', '=', siteId)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** The box fetches its configuration anew after its next check-in. */
export async function raiseSiteConfig(trx: Tx, siteId: string): Promise<void> {
  await trx
    .updateTable('site')
    .set((eb) => ({ config_generation: eb('config_generation', '+', 1) }))
    .where('id', '=', siteId)
    .execute();
}

export async function findSiteName(trx: Tx, siteId: string): Promise<string | undefined> {
  return (await trx.selectFrom('site').select('name').where('id', '=', siteId).executeTakeFirst())?.name;
}

export async function hasClient(trx: Tx, clientId: string): Promise<boolean> {
  return (await trx.selectFrom('client').select('id').where('id', '=', clientId).executeTakeFirst()) !== undefined;
}

/** False when the client already has a site of that name. */
export async function insertSite(trx: Tx, partnerId: string, site: NewSite): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('site')
    .values({
      id: site.id,
      partner_id: partnerId,
      client_id: site.clientId,
      name: site.name,
      agent_tier: site.agentTier,
      required_services: JSON.stringify(site.requiredServices),
      check_interval_ms: site.checkIntervalMs,
      heartbeat_interval_ms: site.heartbeatIntervalMs,
      config_generation: 1,
      created_at_ms: site.createdAtMs,
    })
    .onConflict((conflict) => conflict.columns(['partner_id', 'client_id', 'name']).doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** Another site of the same client that has this name. */
export async function isNameTaken(trx: Tx, siteId: string, name: string): Promise<boolean> {
  const row = await trx
    .selectFrom('site')
    .select('id')
    .where('name', '=', name)
    .where('id', '!=', siteId)
    .where('client_id', '=', (eb) => eb.selectFrom('site as own').select('own.client_id').where('own.id', '=', siteId))
    .executeTakeFirst();
  return row !== undefined;
}

/** Changes settings and raises the generation a box compares. False when there is no such site. */
export async function updateSite(trx: Tx, siteId: string, settings: SiteSettings): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('site')
    .set((eb) => ({
      config_generation: eb('config_generation', '+', 1),
      ...(settings.name === undefined ? {} : { name: settings.name }),
      ...(settings.agentTier === undefined ? {} : { agent_tier: settings.agentTier }),
      ...(settings.requiredServices === undefined
        ? {}
        : { required_services: JSON.stringify(settings.requiredServices) }),
      ...(settings.checkIntervalMs === undefined ? {} : { check_interval_ms: settings.checkIntervalMs }),
    }))
    .where('id', '=', siteId)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** What a list of sites needs of each: the row of its box, of its live state and log, and two counts. */
export interface SiteFactsRow {
  id: string;
  name: string;
  client_id: string;
  client_name: string;
  appliance_id: string | null;
  state: string | null;
  epoch: number | null;
  claimed_at_ms: number | null;
  quarantined_at_ms: number | null;
  last_checkin_at_ms: number | null;
  online_since_ms: number | null;
  clock_offset_ms: number | null;
  queue_depth: number | null;
  queue_oldest_ms: number | null;
  received_size: number | null;
  cosigned_size: number | null;
  cosigned_root: string | null;
  cosigned_at_ms: number | null;
  fault_code: string | null;
  fault_message: string | null;
  fault_at_ms: number | null;
  critical: number | null;
  high: number | null;
  medium: number | null;
  low: number | null;
  info: number | null;
  needs_person: number | null;
  needs_person_since: number | null;
  severe_since: number | null;
  open_since: number | null;
  failing: number | null;
  unknown: number | null;
}

/** `givenTo`: a technician, who sees given sites only. */
type Selection = { siteId?: string; search?: string | undefined; givenTo?: string | undefined };

/**
 * One query for one site and for ten thousand: each side is read once by an index, the open incidents and the checks
 * that did not pass are few. Conditions of partial indexes stand as literals, a bound value would not fit them.
 */
export function siteFactsQuery(trx: Tx, { siteId, search, givenTo }: Selection) {
  const open = trx
    .selectFrom('incident')
    .where(sql<boolean>`state <> 'resolved'`)
    .groupBy('appliance_id')
    .select('appliance_id')
    .select([
      countOf('severity', 'critical').as('critical'),
      countOf('severity', 'high').as('high'),
      countOf('severity', 'medium').as('medium'),
      countOf('severity', 'low').as('low'),
      countOf('severity', 'info').as('info'),
      countOf('state', 'needs_person').as('needs_person'),
      sql<number | null>`min(CASE WHEN state = 'needs_person' THEN changed_at_ms END)`.as('needs_person_since'),
      sql<number | null>`min(CASE WHEN severity IN ('critical', 'high') THEN opened_at_ms END)`.as('severe_since'),
      sql<number | null>`min(opened_at_ms)`.as('open_since'),
    ]);
  const notPassed = trx
    .selectFrom('check_latest')
    .leftJoin('agent', (join) =>
      join
        .onRef('agent.appliance_id', '=', 'check_latest.appliance_id')
        .onRef('agent.id', '=', 'check_latest.source')
        .on(sql<boolean>`agent.state = 'removed'`),
    )
    .where(sql<boolean>`check_latest.status IN ('fail', 'unknown')`)
    .where('agent.id', 'is', null)
    .groupBy('check_latest.appliance_id')
    .select('check_latest.appliance_id')
    .select([
      sql<number>`CAST(sum(CASE WHEN check_latest.status = 'fail' THEN 1 ELSE 0 END) AS BIGINT)`.as('failing'),
      sql<number>`CAST(sum(CASE WHEN check_latest.status = 'unknown' THEN 1 ELSE 0 END) AS BIGINT)`.as('unknown'),
    ]);
  const here =
    siteId === undefined ? undefined : trx.selectFrom('appliance').select('id').where('site_id', '=', siteId);
  const facts = trx
    .selectFrom('site')
    .innerJoin('client', 'client.id', 'site.client_id')
    .leftJoin('appliance', (join) =>
      join.onRef('appliance.site_id', '=', 'site.id').on(sql<boolean>`appliance.state <> 'revoked'`),
    )
    .leftJoin('appliance_live', 'appliance_live.appliance_id', 'appliance.id')
    .leftJoin('evidence_log', (join) =>
      join.onRef('evidence_log.appliance_id', '=', 'appliance.id').onRef('evidence_log.epoch', '=', 'appliance.epoch'),
    )
    .leftJoin(
      (here ? open.where('appliance_id', 'in', here) : open).as('trouble'),
      'trouble.appliance_id',
      'appliance.id',
    )
    .leftJoin(
      (here ? notPassed.where('check_latest.appliance_id', 'in', here) : notPassed).as('result'),
      'result.appliance_id',
      'appliance.id',
    )
    .select([
      'site.id',
      'site.name',
      'site.client_id',
      'client.name as client_name',
      'appliance.id as appliance_id',
      'appliance.state',
      'appliance.epoch',
      'appliance.claimed_at_ms',
      'appliance.quarantined_at_ms',
      'appliance_live.last_checkin_at_ms',
      'appliance_live.online_since_ms',
      'appliance_live.clock_offset_ms',
      'appliance_live.queue_depth',
      'appliance_live.queue_oldest_ms',
      'evidence_log.received_size',
      'evidence_log.cosigned_size',
      'evidence_log.cosigned_root',
      'evidence_log.cosigned_at_ms',
      'evidence_log.fault_code',
      'evidence_log.fault_message',
      'evidence_log.fault_at_ms',
      'trouble.critical',
      'trouble.high',
      'trouble.medium',
      'trouble.low',
      'trouble.info',
      'trouble.needs_person',
      'trouble.needs_person_since',
      'trouble.severe_since',
      'trouble.open_since',
      'result.failing',
      'result.unknown',
    ]);
  const reached =
    givenTo === undefined
      ? facts
      : facts.where('site.id', 'in', trx.selectFrom('staff_site').select('site_id').where('staff_id', '=', givenTo));
  const chosen = siteId === undefined ? reached : reached.where('site.id', '=', siteId);
  return search === undefined ? chosen : chosen.where(matches(search));
}

export async function readSiteFacts(trx: Tx, selection: Selection): Promise<SiteFactsRow[]> {
  return siteFactsQuery(trx, selection).execute();
}

/** sum() is numeric on PostgreSQL, which is read back as text; a bigint is read as a number. */
function countOf(column: 'severity' | 'state', value: string) {
  return sql<number>`CAST(sum(CASE WHEN ${sql.ref(column)} = ${sql.lit(value)} THEN 1 ELSE 0 END) AS BIGINT)`;
}

function matches(search: string) {
  const pattern = `%${search.toLowerCase().replaceAll(/[\\%_]/g, (char) => `\\${char}`)}%`;
  return sql<boolean>`(lower(site.name) LIKE ${pattern} ESCAPE '\\' OR lower(client.name) LIKE ${pattern} ESCAPE '\\'
    OR lower(appliance.serial) LIKE ${pattern} ESCAPE '\\')`;
}

export interface SiteRecord {
  id: string;
  agentTier: 0 | 1 | 2;
  requiredServices: string[];
  configGeneration: number;
}

export async function readSite(trx: Tx, siteId: string): Promise<SiteRecord | undefined> {
  const row = await trx.selectFrom('site').selectAll().where('id', '=', siteId).executeTakeFirst();
  return (
    row && {
      id: row.id,
      agentTier: row.agent_tier as 0 | 1 | 2,
      requiredServices: JSON.parse(row.required_services) as string[],
      configGeneration: row.config_generation,
    }
  );
}

/** Lifts the generation of a site's configuration above one its box already has. Answers how it stands, lifted or not. */
export async function raiseGeneration(
  trx: Tx,
  siteId: string,
  above: number,
): Promise<{ generation: number; isRaised: boolean }> {
  const raised = await trx
    .updateTable('site')
    .set({ config_generation: above + 1 })
    .where('id', '=', siteId)
    .where('config_generation', '<=', above)
    .returning('config_generation')
    .executeTakeFirst();
  if (raised !== undefined) return { generation: raised.config_generation, isRaised: true };
  const site = await readSite(trx, siteId);
  return { generation: site?.configGeneration ?? 0, isRaised: false };
}

export interface CurrentBox {
  id: string;
  epoch: number;
  state: 'active' | 'quarantined';
  serial: string;
  model: string;
  dikFingerprint: string;
  evk: string;
  claimedAtMs: number;
  claimedBy: string;
  live: { lastCheckinAtMs: number; clockOffsetMs: number; body: string } | null;
}

/** The box that is at the site now; undefined when none is. */
export async function readCurrentBox(trx: Tx, siteId: string): Promise<CurrentBox | undefined> {
  const row = await trx
    .selectFrom('appliance')
    .leftJoin('appliance_live', 'appliance_live.appliance_id', 'appliance.id')
    .where('appliance.site_id', '=', siteId)
    .where(sql<boolean>`appliance.state <> 'revoked'`)
    .select([
      'appliance.id',
      'appliance.epoch',
      'appliance.state',
      'appliance.serial',
      'appliance.model',
      'appliance.dik_fingerprint',
      'appliance.evk',
      'appliance.claimed_at_ms',
      'appliance.claimed_by',
      'appliance_live.last_checkin_at_ms',
      'appliance_live.clock_offset_ms',
      'appliance_live.body',
    ])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { last_checkin_at_ms: lastCheckinAtMs, clock_offset_ms: clockOffsetMs, body } = row;
  return {
    id: row.id,
    epoch: row.epoch,
    state: row.state as CurrentBox['state'],
    serial: row.serial,
    model: row.model,
    dikFingerprint: row.dik_fingerprint,
    evk: row.evk,
    claimedAtMs: row.claimed_at_ms,
    claimedBy: row.claimed_by,
    live:
      lastCheckinAtMs === null || body === null ? null : { lastCheckinAtMs, clockOffsetMs: clockOffsetMs ?? 0, body },
  };
}

export interface SiteAuditRow {
  atMs: number;
  actor: string;
  action: string;
  detail: string;
}

/** Audit events about a site itself, newest first. */
export async function listSiteAudit(trx: Tx, siteId: string, limit: number): Promise<SiteAuditRow[]> {
  const rows = await trx
    .selectFrom('audit_event')
    .select(['at_ms', 'actor', 'action', 'detail'])
    .where('ref', '=', siteId)
    .where('action', 'in', [
      'site.created',
      'site.changed',
      'site.config_reissued',
      'appliance.quarantined',
      'appliance.released',
      'box.release_ordered',
      'box.release_withdrawn',
      'box.move_cancelled',
      'box.released',
      'box.removed',
      'box.replaced',
      'box.rearmed',
      'appliance.dik_rotated',
      'checkin.old_token_refused',
      'checkin.state_restored',
      'evidence.refused',
    ])
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ atMs: row.at_ms, actor: row.actor, action: row.action, detail: row.detail }));
}
