/** The evidence key a log began with; NULL in logs of before. An appliance keeps that of its present epoch only. */
export const logFirstKey = (): string[] => ['ALTER TABLE evidence_log ADD COLUMN first_key TEXT'];
