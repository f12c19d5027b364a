/**
 * Who made an invite. It stays empty for invites from before, and an open invite of nobody who is an admin now lets
 * nobody in: those are made anew.
 */
export function inviteMaker(): string[] {
  return ['ALTER TABLE staff_invite ADD COLUMN created_by_staff_id TEXT'];
}
