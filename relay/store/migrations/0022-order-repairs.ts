/** What a workstation was like before a repair, and which order an undo puts back. */
export function orderRepairs(): string[] {
  return [
    'ALTER TABLE site_order ADD COLUMN before_facts TEXT',
    'ALTER TABLE site_order ADD COLUMN undoes TEXT',
    'CREATE INDEX site_order_undoes ON site_order (partner_id, site_id, undoes) WHERE undoes IS NOT NULL',
  ];
}
