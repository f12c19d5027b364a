import type { Generated } from 'kysely';
import type { CustodyTables } from './schema-custody.ts';
import type { TierTables } from './schema-tiers.ts';

/**
 * Tables of the relay on both engines. Times are Unix milliseconds (bigint on PostgreSQL, read back as number).
 * JSON columns hold text on both. Every table that holds a tenant's data carries partner_id; on PostgreSQL each of
 * those has row-level security ENABLEd and FORCEd with `partner_id = current_setting('sitewarden.partner_id', true)`,
 * on SQLite the store adds the same filter to every query. Directory tables hold no tenant data, only "which tenant
 * does this credential belong to", and are read before a tenant is known (see DIRECTORY_TABLES).
 *
 * Keys: ids made by the relay are unique by themselves. Ids a box makes (agent, incident, action_run, device) are unique
 * within their appliance only: the primary key is (appliance_id, id), so no box can touch or block another's rows.
 * Rows refer to their parents with (partner_id, parent id), so a row cannot hang under another tenant's parent.
 */
export interface RelayDatabase extends CustodyTables, TierTables {
  partner: { id: string; name: string; created_at_ms: number }; // RLS by id
  client: { id: string; partner_id: string; name: string; created_at_ms: number };
  site: {
    id: string;
    partner_id: string;
    client_id: string;
    name: string;
    agent_tier: number;
    required_services: string;
    check_interval_ms: number;
    heartbeat_interval_ms: number;
    config_generation: number;
    created_at_ms: number;
  };
  staff: {
    id: string;
    partner_id: string;
    name: string;
    role: string;
    disabled_at_ms: number | null;
    created_at_ms: number;
    /** Lower case; unique over the whole relay by its entry in secret_directory. */
    email: string | null;
    password_hash: string | null; // PHC string
    password_changed_at_ms: number | null;
    last_sign_in_at_ms: number | null;
  };
  /** Sites a technician may claim at; for other roles there is none. */
  staff_site: { partner_id: string; staff_id: string; site_id: string };
  staff_invite: {
    id: string;
    partner_id: string;
    email: string;
    name: string;
    role: string;
    site_ids: string; // JSON
    token_hash: string;
    created_by: string;
    created_by_staff_id: string | null; // null: from before it was kept
    created_at_ms: number;
    expires_at_ms: number;
    accepted_at_ms: number | null;
    revoked_at_ms: number | null;
  };
  staff_session: {
    token_hash: string;
    partner_id: string;
    staff_id: string;
    created_at_ms: number;
    last_used_at_ms: number;
    expires_at_ms: number;
    began_with: Generated<string>; // link | password | invite
  };
  sign_in_link: {
    token_hash: string;
    partner_id: string;
    staff_id: string;
    created_at_ms: number;
    expires_at_ms: number;
    used_at_ms: number | null;
  };

  /** Which tenants exist. Directory. */
  tenant_directory: { partner_id: string; created_at_ms: number };
  /** dik fingerprint -> appliance. Directory. */
  key_directory: {
    fingerprint: string;
    public_key: string;
    partner_id: string;
    appliance_id: string;
    revoked_at_ms: number | null;
  };
  /** SHA-256 of a session token, link, invite, e-mail, QR secret, or the locator of a typed code -> tenant. Directory. */
  secret_directory: { hash: string; kind: string; partner_id: string; ref_id: string };
  /** What failed sign-ins of an account, an address, or both have used up; `key` is a hash. Directory. */
  sign_in_failure: { key: string; drained_at_ms: number; last_at_ms: number; known_until_ms: number };
  /**
   * A box that opened a claim session. While partner_id is null it belongs to nobody and `facts` holds what it said of
   * itself; the claim sets partner_id (once) and empties `facts`, the row then only leads to provision_session. Directory.
   */
  box_offer: {
    id: string;
    partner_id: string | null;
    secret_hash: string | null;
    dik: string;
    fingerprint: string;
    facts: string;
    commitment: string | null;
    box_nonce: string | null;
    relay_nonce: string;
    number: string | null;
    started_at_ms: number;
    expires_at_ms: number;
    /** JSON; what the box last said of its way. */
    doctor: string | null;
    doctor_at_ms: number | null;
    serial: Generated<string>;
    /** Where the box called from; empty when it is not known. */
    address: Generated<string>;
  };

  provision_code: {
    id: string;
    partner_id: string;
    site_id: string;
    qr_hash: string;
    locator: string;
    typed_salt: string;
    typed_hash: string;
    tries_left: number;
    pre_approved: number;
    created_by: string;
    created_at_ms: number;
    expires_at_ms: number;
    revoked_at_ms: number | null;
    used_at_ms: number | null;
    used_by_fingerprint: string | null;
    disputed_at_ms: number | null;
    /** Appliance a code that needs no approval may replace. */
    replaces: string | null;
    scanned_at_ms: number | null;
  };
  /** A claim. id is that of its box_offer; state is one of PROVISION_STATES from `claimed` on. */
  provision_session: {
    id: string;
    partner_id: string;
    site_id: string;
    code_id: string | null;
    state: string;
    fingerprint: string;
    keys: string;
    relay_nonce: string;
    number: string;
    serial: string;
    model: string;
    software_version: string;
    image_digest: string;
    started_at_ms: number;
    expires_at_ms: number;
    claimed_by: string;
    claimed_at_ms: number;
    approved_by: string | null;
    approved_at_ms: number | null;
    acknowledged_at_ms: number | null;
    appliance_id: string | null;
    disputed_at_ms: number | null;
    /** Of a claim that an order to move the box made: an ArrivalStanding. */
    arrival: string | null;
  };

  appliance: {
    id: string;
    partner_id: string;
    site_id: string;
    epoch: number;
    state: string; // active | quarantined | revoked; a site has at most one that is not revoked
    dik: string;
    dik_fingerprint: string;
    evk: string;
    seal: string;
    site_ca_fingerprint: string;
    serial: string;
    model: string;
    claimed_by: string;
    claimed_at_ms: number;
    order_seq: number;
    /** The release that waits for the box. */
    release_id: Generated<string | null>;
    quarantined_at_ms: Generated<number | null>;
    /** After a quarantine only this boot continues the chain until `genuine_until_ms`. */
    genuine_boot_id: Generated<string | null>;
    genuine_until_ms: Generated<number | null>;
    /** The appliance whose log this one's goes on from: the box was moved here from another site. */
    moved_from: Generated<string | null>;
  };
  /** The one small row a check-in writes. */
  appliance_live: {
    appliance_id: string;
    partner_id: string;
    site_id: string;
    last_checkin_at_ms: number;
    counter: number;
    token: string;
    previous_token: string | null;
    previous_body_hash: string | null;
    boot_id: string;
    clock_offset_ms: number;
    body: string; // the CheckinRequest as JSON
    /** When the present row of check-ins without a gap of 5 min began. */
    online_since_ms: number | null;
    queue_depth: number; // sum over the lanes of the body, so that a list of sites reads no JSON
    queue_oldest_ms: number;
  };

  outbox_position: { appliance_id: string; partner_id: string; epoch: number; lane: string; acked_through: number };

  /** Rows that will not come, from `from_seq` on: `refused` of them were not taken here, the others were lost here. */
  lane_loss: {
    appliance_id: string;
    partner_id: string;
    site_id: string;
    epoch: number;
    lane: string;
    from_seq: number;
    row_count: number;
    refused: number;
    at_ms: number;
  };
  evidence_log: {
    appliance_id: string;
    partner_id: string;
    epoch: number;
    origin: string;
    received_size: number;
    frontier: string; // base64 of Frontier.toBytes() over received_size leaves
    last_leaf_hash: string; // hex, empty before the first entry
    cosigned_size: number;
    cosigned_root: string;
    checkpoint: string;
    cosigned_at_ms: number | null;
    fault_code: string | null;
    fault_message: string | null;
    fault_at_ms: number | null;
    /** Raw key the log began with; null in logs of before. */
    first_key: Generated<string | null>;
  };
  evidence_entry: {
    appliance_id: string;
    partner_id: string;
    site_id: string;
    epoch: number;
    seq: number;
    leaf_hash: string;
    envelope: string;
    kind: string;
    actor: string;
    outcome_code: string;
    outcome_text: string;
    target: string;
    incident_id: string | null;
    wall_time_ms: number;
    received_at_ms: number;
  };
  /** The key that signs the entries after `seq`; before the first of these it is that of the appliance. */
  evidence_key: { appliance_id: string; partner_id: string; epoch: number; seq: number; public_key: string };
  evidence_node: { appliance_id: string; partner_id: string; epoch: number; level: number; idx: number; hash: string };

  agent: {
    id: string;
    partner_id: string;
    site_id: string;
    appliance_id: string;
    hostname: string;
    os_family: string;
    os_version: string;
    agent_version: string;
    tier: number;
    state: string;
    connected: number;
    enrolled_at_ms: number;
    last_heartbeat_at_ms: number | null;
    telemetry: string;
    received_at_ms: number;
    rmm: string | null; // findings of RmmRow, JSON
    rmm_looked_at_ms: number | null;
  };
  check_latest: {
    appliance_id: string;
    partner_id: string;
    site_id: string;
    source: string;
    check_name: string;
    subject: string;
    status: string;
    severity: string;
    since_ms: number;
    row: string;
    received_at_ms: number; // row: CheckRow JSON
  };
  /** `status` (also `gone`: nobody looks any more) holds from `from_ms`, a time of the box, until the next row. */
  check_history: {
    appliance_id: string;
    partner_id: string;
    agent_id: string;
    check_name: string;
    subject: string;
    from_ms: number;
    status: string;
  };
  incident: {
    id: string;
    partner_id: string;
    site_id: string;
    appliance_id: string;
    state: string;
    severity: string;
    opened_at_ms: number;
    changed_at_ms: number;
    row: string; // IncidentRow JSON
  };
  action_run: {
    id: string;
    partner_id: string;
    site_id: string;
    appliance_id: string;
    incident_id: string;
    state: string;
    started_at_ms: number;
    row: string;
  };
  device: { id: string; partner_id: string; site_id: string; appliance_id: string; last_seen_ms: number; row: string };

  site_order: {
    id: string;
    partner_id: string;
    site_id: string;
    appliance_id: string;
    epoch: number;
    seq: number;
    action: string;
    params: string;
    state: string;
    code: string | null;
    detail: string;
    requested_by: string;
    envelope: string;
    created_at_ms: number;
    changed_at_ms: number;
    expires_at_ms: number;
    /** JSON; what the workstation answered. */
    after_facts: Generated<string | null>;
    /** JSON; what it was like before. */
    before_facts: Generated<string | null>;
    /** The order this one puts back. */
    undoes: Generated<string | null>;
  };

  /** Append-only, hash-chained per partner: hash = SHA-256(prev hash | canonical JSON of the rest). */
  audit_event: {
    id: Generated<number>;
    partner_id: string;
    at_ms: number;
    actor: string;
    action: string;
    ref: string;
    detail: string;
    prev_hash: string;
    hash: string;
  };
}

/** Tables with a tenant's data; a test holds this list against the catalogue of a real PostgreSQL. */
export const TENANT_TABLES = [
  'partner',
  'client',
  'site',
  'staff',
  'staff_site',
  'staff_invite',
  'staff_session',
  'sign_in_link',
  'provision_code',
  'provision_session',
  'appliance',
  'appliance_live',
  'box_release',
  'custody_receipt',
  'site_secret',
  'box_sighting',
  'availability',
  'availability_cursor',
  'outbox_position',
  'lane_loss',
  'evidence_log',
  'evidence_entry',
  'evidence_node',
  'evidence_key',
  'agent',
  'check_latest',
  'check_history',
  'incident',
  'action_run',
  'device',
  'site_order',
  'agent_group',
  'agent_setting',
  'audit_event',
] as const satisfies readonly (keyof RelayDatabase)[];

/** Read and written before a tenant is known. */
export const DIRECTORY_TABLES = [
  'tenant_directory',
  'key_directory',
  'box_key',
  'secret_directory',
  'sign_in_failure',
  'box_offer',
  'retired_key',
  'box_arrival',
  'rearm_try',
] as const satisfies readonly (keyof RelayDatabase)[];

export type DirectoryDatabase = Pick<RelayDatabase, (typeof DIRECTORY_TABLES)[number]>;
