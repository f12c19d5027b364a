/** Tables of what staff set for single agents and for groups of them. */
export interface TierTables {
  /** `tier` null: as the site. */
  agent_group: {
    id: string;
    partner_id: string;
    site_id: string;
    name: string;
    tier: number | null;
    created_at_ms: number;
  };
  /** One row for an agent with a tier of its own or a group; the agent itself is the box's row. */
  agent_setting: {
    partner_id: string;
    site_id: string;
    agent_id: string;
    tier: number | null;
    group_id: string | null;
  };
}
