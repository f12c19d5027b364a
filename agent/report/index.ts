export { buildReports, type ReportContent } from './build-reports.ts';
export { toCheckResult } from './check-result.ts';
