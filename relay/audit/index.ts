export { type AuditEntry, appendAudit, auditHash, GENESIS } from './append.ts';
export { type AuditVerdict, verifyAudit } from './verify.ts';
