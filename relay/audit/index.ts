export { type AuditEntry, appendAudit, auditHash, GENESIS } from './append.ts';
