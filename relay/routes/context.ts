import type { Readable } from 'node:stream';
import type { Static, TSchema } from '@sinclair/typebox';
import type { Clock } from '@sitewarden/kit/time';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import type { BoxDirectory, StaffSessions } from '../accounts/index.ts';
import type { BoxProof } from '../box-proof/index.ts';
import type { NewestToken } from '../checkin/index.ts';
import type { RelayConfig } from '../config/index.ts';
import type { RelayKeyring } from '../keys/types.ts';
import type { Box, Device, Tenant } from '../lib/identity.ts';
import type { Role } from '../lib/roles.ts';
import type { LiveBus, StreamPlaces } from '../live/index.ts';
import type { SightingBook } from '../quarantine/index.ts';
import type { Store, Tx } from '../store/index.ts';
import type { Wakes } from '../wake/index.ts';
import type { ROUTES, RouteContract, RouteName } from './contract/table.ts';

/** What the program is made of, for the handlers that need it. */
export interface Services {
  readonly config: RelayConfig;
  /** Origin that boxes and people use, known once the relay listens. */
  readonly publicUrl: () => string;
  readonly clock: Clock;
  readonly store: Store;
  readonly keys: RelayKeyring;
  readonly live: LiveBus;
  readonly streams: StreamPlaces;
  readonly metrics: Registry;
  /** Reads /metrics from elsewhere; without it only this host can. */
  readonly metricsToken: string | undefined;
  /** Forgets what is cached about an appliance; call it after every change of its state, epoch or keys. */
  readonly boxes: BoxDirectory;
  /** Who signed, for requests and for connections alike. */
  readonly proof: BoxProof;
  /** Which of two machines with one device key checked in last. */
  readonly newestToken: NewestToken;
  readonly sessions: StaffSessions;
  readonly sightings: SightingBook;
  readonly wakes: Wakes;
}

type Table = typeof ROUTES;
type Part<N extends RouteName, K extends keyof RouteContract> = Table[N] extends Record<K, infer S> ? S : undefined;
type Value<S> = S extends TSchema ? Static<S> : undefined;

type Identity<A> = A extends readonly Role[]
  ? { readonly tenant: Tenant; readonly inTenant: InTenant }
  : A extends 'box'
    ? { readonly box: Box; readonly inTenant: InTenant }
    : A extends 'newBox'
      ? { readonly device: Device }
      : unknown;

/** One transaction of the caller's own tenant. */
export type InTenant = <T>(fn: (trx: Tx) => Promise<T>) => Promise<T>;

/** What a handler is called with. All of it was checked against the contract; `raw` is the body as it came. */
export type Context<N extends RouteName> = Identity<Table[N]['access']> & {
  readonly params: Value<Part<N, 'params'>>;
  readonly query: Value<Part<N, 'query'>>;
  readonly body: Value<Part<N, 'body'>>;
  readonly raw: Buffer;
  readonly nowMs: number;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
};

export type Answer<N extends RouteName> = Table[N]['response'] extends infer R
  ? R extends TSchema
    ? Static<R>
    : R extends 'text/event-stream'
      ? Readable
      : R extends 'application/pdf'
        ? Uint8Array
        : string
  : never;

export type Handler<N extends RouteName> = (context: Context<N>) => Promise<Answer<N>> | Answer<N>;
export type HandlerTable = { readonly [N in RouteName]: Handler<N> };

/** Handlers of some routes, typed by the contract. */
export function defineHandlers<N extends RouteName>(handlers: Pick<HandlerTable, N>): Pick<HandlerTable, N> {
  return handlers;
}
