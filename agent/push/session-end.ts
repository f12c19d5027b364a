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
  /** A message of ours was refused: the report in flight is the likely one. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** Anything that a new connection may cure. */
  | { readonly kind: 'lost'; readonly detail: string };

const RETRY_DELAY_KEY = 'retry-delay-ms';

/** Pure: by code, never by message. */
export function classifyEnd(status: { code: number; details: string; metadata?: Metadata }): SessionEnd {
  const name = Grpc[status.code] ?? `status ${status.code}`;
  switch (status.code) {
    case Grpc.PERMISSION_DENIED:
      return { kind: 'removed' };
    case Grpc.UNAUTHENTICATED:
      return { kind: 'unauthenticated' };
    case Grpc.RESOURCE_EXHAUSTED:
      // No pause makes a message smaller.
      if (trailer(status.metadata, 'error-code') === 'MESSAGE_TOO_LARGE') return { kind: 'refused', detail: name };
      return { kind: 'exhausted', floorMs: retryFloorMs(status.metadata) };
    case Grpc.INVALID_ARGUMENT:
    case Grpc.OUT_OF_RANGE:
      return { kind: 'refused', detail: name };
    default:
      // The library's words (refused, no route, certificate) are what a person needs to find the cause.
      return { kind: 'lost', detail: status.details === '' ? name : `${name}: ${status.details.slice(0, 300)}` };
  }
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
