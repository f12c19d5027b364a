/** A code that needs no approval says which appliance of its site it may replace. */
export function codeReplaces(): string[] {
  return ['ALTER TABLE provision_code ADD COLUMN replaces TEXT'];
}
