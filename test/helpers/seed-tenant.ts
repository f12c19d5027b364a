import { randomBytes } from 'node:crypto';
import { newId } from '@sitewarden/kit/ids';
import type { Insertable } from 'kysely';
import { appendAudit } from '../../relay/audit/index.ts';
import type { RelayDatabase, Store, TENANT_TABLES } from '../../relay/store/index.ts';

type TenantTable = (typeof TENANT_TABLES)[number];
type Rows = { readonly [T in Exclude<TenantTable, 'audit_event'>]: Insertable<RelayDatabase[T]> };

export interface SeededTenant {
  readonly partnerId: string;
  readonly rows: Rows;
}

const hex = () => randomBytes(32).toString('hex');
const key = () => randomBytes(32).toString('base64url');

/** One row for every tenant table, parents first; the type demands that none is forgotten. */
function tenantRows(): Rows {
  const partnerId = newId('ptn');
  const [clientId, siteId, staffId, codeId, applianceId] = ['cli', 'site', 'stf', 'pc', 'app'].map(newId) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const groupId = newId('grp');
  const own = { partner_id: partnerId };
  const atSite = { ...own, site_id: siteId };
  const ofBox = { ...own, appliance_id: applianceId };
  const ofBoxAtSite = { ...atSite, appliance_id: applianceId };
  return {
    partner: { id: partnerId, name: 'Partner', created_at_ms: 1 },
    client: { ...own, id: clientId, name: 'Clinic', created_at_ms: 1 },
    site: {
      ...own,
      id: siteId,
      client_id: clientId,
      name: 'Main street',
      agent_tier: 1,
      required_services: '[]',
      check_interval_ms: 60_000,
      heartbeat_interval_ms: 30_000,
      config_generation: 1,
      created_at_ms: 1,
    },
    staff: { ...own, id: staffId, name: 'Kim', role: 'admin', disabled_at_ms: null, created_at_ms: 1 },
    staff_site: { ...atSite, staff_id: staffId },
    staff_invite: {
      ...own,
      id: newId('inv'),
      email: 'kim@partner.example',
      name: 'Kim',
      role: 'operator',
      site_ids: '[]',
      token_hash: hex(),
      created_by: 'Kim',
      created_at_ms: 1,
      expires_at_ms: 2,
    },
    staff_session: {
      ...own,
      token_hash: hex(),
      staff_id: staffId,
      created_at_ms: 1,
      last_used_at_ms: 1,
      expires_at_ms: 2,
    },
    sign_in_link: {
      ...own,
      token_hash: hex(),
      staff_id: staffId,
      created_at_ms: 1,
      expires_at_ms: 2,
      used_at_ms: null,
    },
    provision_code: {
      ...atSite,
      id: codeId,
      qr_hash: hex(),
      locator: 'BCDF',
      typed_salt: 's',
      typed_hash: 'h',
      tries_left: 5,
      pre_approved: 0,
      created_by: 'Kim',
      created_at_ms: 1,
      expires_at_ms: 2,
      revoked_at_ms: null,
      used_at_ms: null,
      used_by_fingerprint: null,
      disputed_at_ms: null,
    },
    appliance: {
      ...atSite,
      id: applianceId,
      epoch: 1,
      state: 'active',
      dik: key(),
      dik_fingerprint: key(),
      evk: key(),
      seal: key(),
      site_ca_fingerprint: key(),
      serial: 'SN1',
      model: 'Box',
      claimed_by: 'Kim',
      claimed_at_ms: 1,
      order_seq: 0,
    },
    provision_session: {
      ...ofBoxAtSite,
      id: newId('ps'),
      code_id: codeId,
      state: 'acknowledged',
      fingerprint: key(),
      keys: '{}',
      relay_nonce: 'n',
      number: '12345678',
      serial: 'SN1',
      model: 'Box',
      software_version: '1',
      image_digest: 'unpackaged',
      started_at_ms: 1,
      expires_at_ms: 2,
      claimed_by: 'Kim',
      claimed_at_ms: 1,
      approved_by: 'Kim',
      approved_at_ms: 1,
      acknowledged_at_ms: 1,
      disputed_at_ms: null,
    },
    appliance_live: {
      ...ofBoxAtSite,
      last_checkin_at_ms: 1,
      counter: 1,
      token: 't',
      previous_token: null,
      previous_body_hash: null,
      boot_id: 'b',
      clock_offset_ms: 0,
      online_since_ms: 1,
      queue_depth: 0,
      queue_oldest_ms: 0,
      body: '{}',
    },
    box_release: {
      ...ofBoxAtSite,
      id: newId('rel'),
      epoch: 1,
      state: 'ordered',
      reason: 'moved',
      ordered_by: 'Kim',
      ordered_at_ms: 1,
      delivered_at_ms: null,
      ended_at_ms: null,
      envelope: '{}',
    },
    custody_receipt: {
      ...ofBoxAtSite,
      id: newId('rcp'),
      kind: 'rearmed',
      at_ms: 1,
      envelope: '{}',
      relay_keys: '{}',
    },
    agent_group: { ...atSite, id: groupId, name: 'Reception', tier: 1, created_at_ms: 1 },
    agent_setting: { ...atSite, agent_id: newId('agt'), tier: null, group_id: groupId },
    site_secret: {
      partner_id: partnerId,
      site_id: siteId,
      name: 'ssh-root',
      sealed_to: 's',
      box: 'b',
      set_by: 'Kim',
      set_at_ms: 1,
    },
    box_sighting: { ...ofBox, boot_id: 'b', address: '192.0.2.1', first_seen_ms: 1, last_seen_ms: 1, body: '{}' },
    availability: { ...ofBoxAtSite, span: 'hour', from_ms: 0, seen_ms: 1 },
    availability_cursor: { ...own, since_ms: 1, through_ms: 1 },
    outbox_position: { ...ofBox, epoch: 1, lane: 'evidence', acked_through: 1 },
    lane_loss: { ...ofBoxAtSite, epoch: 1, lane: 'telemetry', from_seq: 1, row_count: 1, refused: 0, at_ms: 1 },
    evidence_log: {
      ...ofBox,
      epoch: 1,
      origin: `relay.test/a/${applianceId}/1`,
      received_size: 1,
      frontier: '',
      last_leaf_hash: hex(),
      cosigned_size: 0,
      cosigned_root: '',
      checkpoint: '',
      cosigned_at_ms: null,
      fault_code: null,
      fault_message: null,
      fault_at_ms: null,
    },
    evidence_entry: {
      ...ofBoxAtSite,
      epoch: 1,
      seq: 0,
      leaf_hash: hex(),
      envelope: '{}',
      kind: 'claim',
      actor: 'Kim',
      outcome_code: 'done',
      outcome_text: 'Done',
      target: 'box',
      incident_id: null,
      wall_time_ms: 1,
      received_at_ms: 1,
    },
    evidence_node: { ...ofBox, epoch: 1, level: 0, idx: 0, hash: hex() },
    evidence_key: { ...ofBox, epoch: 1, seq: 0, public_key: hex() },
    agent: {
      ...ofBoxAtSite,
      id: newId('agt'),
      hostname: 'PC1',
      os_family: 'windows',
      os_version: '11',
      agent_version: '1',
      tier: 0,
      state: 'active',
      connected: 1,
      enrolled_at_ms: 1,
      last_heartbeat_at_ms: null,
      telemetry: '{}',
      received_at_ms: 1,
    },
    check_latest: {
      ...ofBoxAtSite,
      source: '',
      check_name: 'firewall',
      subject: 'PC1',
      status: 'fail',
      severity: 'high',
      since_ms: 1,
      row: '{}',
      received_at_ms: 1,
    },
    check_history: {
      ...ofBox,
      agent_id: newId('agt'),
      check_name: 'firewall',
      subject: 'PC1',
      from_ms: 1,
      status: 'fail',
    },
    incident: {
      ...ofBoxAtSite,
      id: newId('inc'),
      state: 'open',
      severity: 'high',
      opened_at_ms: 1,
      changed_at_ms: 1,
      row: '{}',
    },
    action_run: {
      ...ofBoxAtSite,
      id: newId('run'),
      incident_id: newId('inc'),
      state: 'done',
      started_at_ms: 1,
      row: '{}',
    },
    device: { ...ofBoxAtSite, id: newId('dev'), last_seen_ms: 1, row: '{}' },
    site_order: {
      ...ofBoxAtSite,
      id: newId('ord'),
      epoch: 1,
      seq: 1,
      action: 'run_check',
      params: '{}',
      state: 'queued',
      code: null,
      detail: '',
      requested_by: 'Kim',
      envelope: '{}',
      created_at_ms: 1,
      changed_at_ms: 1,
      expires_at_ms: 2,
    },
  };
}

/** A tenant with a row in every tenant table. */
export async function seedTenant(store: Store): Promise<SeededTenant> {
  const rows = tenantRows();
  const partnerId = rows.partner.id;
  await store.inTenant(partnerId, async (trx) => {
    for (const [table, row] of Object.entries(rows)) {
      await trx
        .insertInto(table as 'client')
        .values(row as Insertable<RelayDatabase['client']>)
        .execute();
    }
    await trx.insertInto('tenant_directory').values({ partner_id: partnerId, created_at_ms: 1 }).execute();
    await appendAudit(trx, { partnerId, atMs: 1, actor: 'Kim', action: 'partner.created', ref: partnerId });
  });
  return { partnerId, rows };
}
