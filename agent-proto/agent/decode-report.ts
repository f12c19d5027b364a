import { Report, RmmFinding } from '../gen/sitewarden/agent/v1/agent.ts';
import { ReportReader } from './report-reader.ts';
import { readResult } from './result-memo.ts';

const SEQ = (1 << 3) | 0;
const RESULT = (2 << 3) | 2;
const FINDING = (3 << 3) | 2;
const ORDER_ID = (4 << 3) | 2;
const RMM_LOOKED = (5 << 3) | 0;

/**
 * What `Report.decode` answers, and what it throws, in less time: results that say what was said before are not read anew.
 * Their `facts` and `controls` are shared then, and frozen.
 */
export function decodeReport(bytes: Uint8Array): Report {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return decodeUsual(buffer) ?? Report.decode(new ReportReader(buffer));
}

/** Undefined for anything an ordinary encoder of this version does not write. */
function decodeUsual(buffer: Buffer): Report | undefined {
  const reader = new ReportReader(buffer);
  const report: Report = { seq: 0, results: [], rmmFindings: [], orderId: '', rmmLooked: false };
  try {
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === RESULT) report.results.push(readResult(reader, buffer, reader.uint32()));
      else if (tag === FINDING) report.rmmFindings.push(RmmFinding.decode(reader, reader.uint32()));
      else if (tag === ORDER_ID) report.orderId = reader.string();
      else if (tag === RMM_LOOKED) report.rmmLooked = reader.bool();
      else if (tag === SEQ) {
        report.seq = reader.smallInteger();
        if (report.seq < 0) return undefined;
      } else return undefined;
    }
  } catch {
    return undefined;
  }
  return report;
}
