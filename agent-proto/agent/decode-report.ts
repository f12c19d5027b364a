import { Report } from '../gen/sitewarden/agent/v1/agent.ts';
import { ReportReader } from './report-reader.ts';

/** What `Report.decode` answers, and what it throws, in less time: short texts that were read before are not read anew. */
export function decodeReport(bytes: Uint8Array): Report {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Report.decode(new ReportReader(buffer));
}
