import { PushReportRequest, Report, SessionRequest } from '@sitewarden/agent-proto/agent';

/** A decoded report with the very bytes it came in; they are what is stored. */
export interface ReportMessage {
  readonly report: Report;
  readonly body: Uint8Array;
}

export type PushMessage = { readonly kind: 'report'; readonly message: ReportMessage } | { readonly kind: 'malformed' };

export type SessionMessage = PushMessage | { readonly kind: 'other'; readonly message: SessionRequest };

const REPORT_IN_SESSION_TAG = (2 << 3) | 2;
const REPORT_IN_PUSH_TAG = (1 << 3) | 2;

/**
 * The bytes of the one length-delimited field `tag` when the message is exactly that field, which is how every known
 * encoder writes it; undefined for any other legal encoding.
 */
function onlyField(buffer: Uint8Array, tag: number): Uint8Array | undefined {
  if (buffer[0] !== tag) return undefined;
  let length = 0;
  let at = 1;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = buffer[at++];
    if (byte === undefined) return undefined;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) return at + length === buffer.length ? buffer.subarray(at) : undefined;
  }
  return undefined;
}

/** Never throws: what cannot be read is `malformed`, so that the client gets a code and not a crash. */
export function readSessionMessage(buffer: Buffer): SessionMessage {
  try {
    const body = onlyField(buffer, REPORT_IN_SESSION_TAG);
    if (body !== undefined) return { kind: 'report', message: { report: Report.decode(body), body } };
    const message = SessionRequest.decode(buffer);
    if (message.message?.$case !== 'report') return { kind: 'other', message };
    const report = message.message.value;
    return { kind: 'report', message: { report, body: Report.encode(report).finish() } };
  } catch {
    return { kind: 'malformed' };
  }
}

/** Like readSessionMessage; a request without a report is `malformed` too. */
export function readPushReport(buffer: Buffer): PushMessage {
  try {
    const body = onlyField(buffer, REPORT_IN_PUSH_TAG);
    if (body !== undefined) return { kind: 'report', message: { report: Report.decode(body), body } };
    const { report } = PushReportRequest.decode(buffer);
    if (report === undefined) return { kind: 'malformed' };
    return { kind: 'report', message: { report, body: Report.encode(report).finish() } };
  } catch {
    return { kind: 'malformed' };
  }
}
