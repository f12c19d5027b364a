import { status as Grpc, type Metadata } from '@grpc/grpc-js';
import { MAX_RETRY_AFTER_MS } from '@sitewarden/kit/backoff';

export type SessionEnd =
  /** The agent is stopping, or its identity was renewed. */
  | { readonly kind: 'closed' }
  /** The appliance removed this agent: for good. */
  | { readonly kind: 'removed' }
  /** The appliance does not know the certificate. Data is kept. */
  | { readonly kind: 'unauthenticated' }
  /** The appliance asks for a pause. */
  | { readonly kind: 'exhausted'; readonly floorMs: number }
  /** A message of ours was refused; `field` tells which kind, where the appliance says it. */
  | { readonly kind: 'refused'; readonly code: string; readonly field: string; readonly detail: string }
  /** Anything that a new connection may cure. */
  | { readonly kind: 'lost'; readonly detail: string };

const RETRY_DELAY_KEY = 'retry-delay-ms';
const MAX_DETAIL_CHARS = 300;

interface Ended {
  readonly code: number;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** Pure: by code, never by message. */
export function classifyEnd(status: Ended): SessionEnd {
  const name = Grpc[status.code] ?? `status ${status.code}`;
  switch (status.code) {
    case Grpc.PERMISSION_DENIED:
      return { kind: 'removed' };
    case Grpc.UNAUTHENTICATED:
      return { kind: 'unauthenticated' };
    case Grpc.RESOURCE_EXHAUSTED:
      // No pause makes a message smaller.
      if (trailer(status.metadata, 'error-code') === 'MESSAGE_TOO_LARGE') return refused(name, status);
      return { kind: 'exhausted', floorMs: retryFloorMs(status.metadata) };
    case Grpc.INVALID_ARGUMENT:
    case Grpc.OUT_OF_RANGE:
      return refused(name, status);
    default:
      // The library's words (refused, no route, certificate) are what a person needs to find the cause.
      return { kind: 'lost', detail: inWords(name, status.details) };
  }
}

function refused(name: string, { details, metadata }: Ended): SessionEnd {
  const code = trailer(metadata, 'error-code') ?? '';
  const field = trailer(metadata, 'error-field') ?? '';
  return { kind: 'refused', code, field, detail: inWords(name, details) };
}

const inWords = (name: string, details: string): string =>
  details === '' ? name : `${name}: ${details.slice(0, MAX_DETAIL_CHARS)}`;

const REPORT_FIELDS = ['report', 'results', 'rmm_findings', 'seq', 'order_id'];
const startsAt = (field: string, names: readonly string[]): boolean => names.includes(field.split('.')[0]!);

/** What kind of message the appliance refused; undefined when it did not say. */
export function refusedKind(end: SessionEnd): 'report' | 'receipt' | 'heartbeat' | undefined {
  if (end.kind !== 'refused') return undefined;
  if (startsAt(end.field, REPORT_FIELDS)) return 'report';
  if (startsAt(end.field, ['order_receipt'])) return 'receipt';
  return startsAt(end.field, ['heartbeat']) ? 'heartbeat' : undefined;
}

/** 0 without a usable trailer: the backoff then stands alone. */
export function retryFloorMs(metadata: Metadata | undefined): number {
  const text = trailer(metadata, RETRY_DELAY_KEY);
  if (text === undefined || !/^\d{1,12}$/.test(text)) return 0;
  return Math.min(Number(text), MAX_RETRY_AFTER_MS);
}

function trailer(metadata: Metadata | undefined, key: string): string | undefined {
  const value = metadata?.get(key)[0];
  return typeof value === 'string' ? value : undefined;
}
