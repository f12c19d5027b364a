import { AGENT_LIMITS, decodeReport, PushReportRequest, Report, SessionRequest } from '@sitewarden/agent-proto/agent';
import { applianceErrors } from '../errors.ts';

/** A decoded report with the very bytes it came in; they are what is stored. */
export interface ReportMessage {
  readonly report: Report;
  readonly body: Uint8Array;
}

/** What cannot be taken at all; `field` is 'report' when the message begins as one. */
export interface Unreadable {
  readonly kind: 'malformed' | 'too_large';
  readonly field: 'report' | 'message';
}

export type PushMessage = { readonly kind: 'report'; readonly message: ReportMessage } | Unreadable;

/**
 * What the transport lets in. A message above it is cut off by gRPC with a status of its own, which names nothing; up to it
 * the answer is MESSAGE_TOO_LARGE.
 */
export const MAX_TRANSPORT_BYTES = 4 * AGENT_LIMITS.maxMessageBytes;

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

const isTooLarge = (buffer: Uint8Array): boolean => buffer.length > AGENT_LIMITS.maxMessageBytes;

/** Never throws: what cannot be read is `malformed`, so that the client gets a code and not a crash. */
export function readSessionMessage(buffer: Buffer): SessionMessage {
  const field = buffer[0] === REPORT_IN_SESSION_TAG ? 'report' : 'message';
  if (isTooLarge(buffer)) return { kind: 'too_large', field };
  try {
    const body = onlyField(buffer, REPORT_IN_SESSION_TAG);
    if (body !== undefined) return { kind: 'report', message: { report: decodeReport(body), body } };
    const message = SessionRequest.decode(buffer);
    if (message.message?.$case !== 'report') return { kind: 'other', message };
    const report = message.message.value;
    return { kind: 'report', message: { report, body: Report.encode(report).finish() } };
  } catch {
    return { kind: 'malformed', field };
  }
}

/** A message of a unary call as a generated decoder reads it. */
export type UnaryMessage<T> = { readonly kind: 'message'; readonly message: T } | Unreadable;

/** A reader that never throws: gRPC would call it a failure of the box. */
export const readUnary =
  <T>({ decode }: { decode(bytes: Uint8Array): T }) =>
  (buffer: Buffer): UnaryMessage<T> => {
    try {
      return { kind: 'message', message: decode(buffer) };
    } catch {
      return { kind: 'malformed', field: 'message' };
    }
  };

/** Throws MESSAGE_TOO_LARGE, MESSAGE_INVALID. */
export function assertReadable<M extends { readonly kind: string }>(message: M | Unreadable): asserts message is M {
  const { kind, field } = message as Unreadable;
  if (kind === 'too_large') throw applianceErrors.make('MESSAGE_TOO_LARGE', { field });
  if (kind === 'malformed') {
    const detail = `The ${field} is missing or not protobuf`;
    throw applianceErrors.make('MESSAGE_INVALID', { field, detail });
  }
}

/** Like readSessionMessage; a request without a report is `malformed` too. */
export function readPushReport(buffer: Buffer): PushMessage {
  const field = 'report';
  if (isTooLarge(buffer)) return { kind: 'too_large', field };
  try {
    const body = onlyField(buffer, REPORT_IN_PUSH_TAG);
    if (body !== undefined) return { kind: 'report', message: { report: decodeReport(body), body } };
    const { report } = PushReportRequest.decode(buffer);
    if (report === undefined) return { kind: 'malformed', field };
    return { kind: 'report', message: { report, body: Report.encode(report).finish() } };
  } catch {
    return { kind: 'malformed', field };
  }
}
