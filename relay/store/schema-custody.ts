/** Tables about who has a box and under which key, who uses its identity, and when it was heard; see RelayDatabase. */
export interface CustodyTables {
  /**
   * A device key that is not the present one of its appliance: `next` was announced and not used yet, `retired` was
   * replaced and is not taken any more; `at_ms` says since when. Directory.
   */
  box_key: {
    fingerprint: string;
    public_key: string;
    partner_id: string;
    appliance_id: string;
    state: string;
    at_ms: number;
    /** Of a retired one: when its use was noted last. */
    used_at_ms: number | null;
  };
  /** Why a device key is not welcome any more; told to whoever comes with it, for a while. Directory. */
  retired_key: { fingerprint: string; why: string; at_ms: number };
  /**
   * A box that left its site for another one: the next time it asks for a claim, this one is given to it. `from_appliance`
   * only of the same partner. Directory.
   */
  box_arrival: {
    fingerprint: string;
    partner_id: string;
    site_id: string;
    from_appliance: string | null;
    from_site_name: string | null;
    serial: string;
    ordered_by: string;
    at_ms: number;
  };
  /** A secret of a site as its box can open it, and nobody else; `sealed_to`: that box's `seal` key. */
  site_secret: {
    partner_id: string;
    site_id: string;
    name: string;
    sealed_to: string;
    box: string;
    set_by: string;
    set_at_ms: number;
  };
  /** Wrong numbers a partner has typed for an offer that asks for a place; goes with the offer. Directory. */
  rearm_try: { session: string; partner_id: string; tries: number };
  /** state: one of RELEASE_STATES. `envelope`: as it was ordered; the box gets it signed anew. */
  box_release: {
    id: string;
    partner_id: string;
    site_id: string;
    appliance_id: string;
    epoch: number;
    state: string;
    reason: string;
    ordered_by: string;
    ordered_at_ms: number;
    delivered_at_ms: number | null;
    ended_at_ms: number | null;
    envelope: string;
  };
  custody_receipt: {
    id: string;
    partner_id: string;
    site_id: string;
    appliance_id: string;
    kind: string;
    at_ms: number;
    envelope: string;
    relay_keys: string; // envelope of the keys at that time
    /** JSON of a CustodyProof; null: from before it was kept. */
    proof: string | null;
  };
  /** A machine that used the identity of a quarantined box; `body`: its last CheckinRequest. */
  box_sighting: {
    appliance_id: string;
    partner_id: string;
    boot_id: string;
    address: string;
    first_seen_ms: number;
    last_seen_ms: number;
    body: string;
  };
  /** For how long of an hour or a day, UTC, a box was heard without a gap. */
  availability: {
    appliance_id: string;
    partner_id: string;
    site_id: string;
    span: string; // hour | day
    from_ms: number;
    seen_ms: number;
  };
  /** From when and through when a tenant's check-ins are rolled up. */
  availability_cursor: { partner_id: string; since_ms: number; through_ms: number };
}
