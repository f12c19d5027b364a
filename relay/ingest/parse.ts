import { type AbsentRows, compile, type Lane, OUTBOX_LIMITS, OutboxHeader } from '@sitewarden/agent-proto/http';
import { relayErrors } from '../errors.ts';

/** One request of one lane. `rows` are the exact bytes of each line, without its newline. */
export interface Batch {
  lane: Lane;
  epoch: number;
  firstSeq: number;
  absent?: AbsentRows;
  rows: Buffer[];
}

const NEWLINE = 0x0a;
let validateHeader: ReturnType<typeof compile<typeof OutboxHeader>> | undefined;

/**
 * Takes the NDJSON body apart: a header line, then exactly `count` rows. The last newline may be left out. Throws
 * BODY_INVALID or BODY_TOO_LARGE; what is inside the rows is the business of their lane.
 */
export function parseBatch(body: Buffer): Batch {
  if (body.length > OUTBOX_LIMITS.maxBodyBytes) {
    throw relayErrors.make('BODY_TOO_LARGE', { data: { maxBytes: OUTBOX_LIMITS.maxBodyBytes } });
  }
  const lines = splitLines(body);
  const header = parseHeader(lines[0]);
  const rows = lines.slice(1);
  if (rows.length !== header.count) {
    throw invalid('/count', `The header says ${header.count} rows, the body has ${rows.length}`);
  }
  for (const [index, row] of rows.entries()) {
    if (row.length === 0) throw invalid(`/rows/${index}`, 'The row is empty');
    if (row.length > OUTBOX_LIMITS.maxRowBytes) {
      throw relayErrors.make('BODY_TOO_LARGE', {
        field: `/rows/${index}`,
        data: { maxRowBytes: OUTBOX_LIMITS.maxRowBytes },
      });
    }
  }
  const { lane, epoch, firstSeq, absent } = header;
  return { lane, epoch, firstSeq, ...(absent && { absent }), rows };
}

/** Stops one line after the most there may be, so that a body of newlines makes no million buffers. */
function splitLines(body: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let from = 0;
  while (from < body.length && lines.length <= OUTBOX_LIMITS.maxRows + 1) {
    const at = body.indexOf(NEWLINE, from);
    const to = at < 0 ? body.length : at;
    lines.push(body.subarray(from, to));
    from = to + 1;
  }
  return lines;
}

function parseHeader(line: Buffer | undefined) {
  const value = line === undefined ? undefined : parseJson(line);
  if (value === undefined) throw invalid('/', 'The first line is not a JSON header');
  validateHeader ??= compile(OutboxHeader);
  const header = validateHeader(value);
  if (!header.ok) throw invalid(header.field, header.detail);
  const { lane, firstSeq, count, absent } = header.value;
  if (!Number.isSafeInteger(firstSeq + count)) throw invalid('/firstSeq', 'is too large');
  if (absent !== undefined) {
    if (lane === 'evidence') throw invalid('/absent', 'is never said of evidence');
    if (absent.fromSeq >= firstSeq) throw invalid('/absent/fromSeq', 'is not before firstSeq');
    if (absent.refused > firstSeq - absent.fromSeq)
      throw invalid('/absent/refused', 'is more than the rows that are absent');
  }
  return header.value;
}

/** The value of one line, undefined when it is no JSON in UTF-8. */
export function parseJson(line: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line));
  } catch {
    return undefined;
  }
}

function invalid(field: string, detail: string): Error {
  return relayErrors.make('BODY_INVALID', { field, detail });
}
