import type { TLSSocket } from 'node:tls';
import { Server, ServerCredentials, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { AgentServiceService } from '@sitewarden/agent-proto/agent';
import type { CodedError } from '@sitewarden/kit/errors';
import { applianceErrors } from '../errors.ts';
import { toServiceError } from './grpc-error.ts';
import { MAX_TRANSPORT_BYTES } from './messages.ts';
import type { Peer } from './peers.ts';
import { AGENT_SERVICE, type AgentServiceHandlers } from './service.ts';

/** A session, a renewal and two single reports. With three connections an agent holds 48 MiB of unfinished messages at most. */
const AGENT_STREAMS = 4;
/** The largest Enroll within the limits is half of it. */
export const MAX_ENROLL_BYTES = 16 * 1024;
const ANONYMOUS_STREAMS = 2;
/** MiB. Of HTTP/2's own state: headers, tables, frames that wait to be sent. */
const ANONYMOUS_SESSION_MIB = 1;
const ENROLL_WHOLE_WITHIN_MS = 5000;

const COMMON = {
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.enable_channelz': 0,
} as const;

export interface Servers {
  serve(socket: TLSSocket, kind: Peer['kind']): void;
  forceShutdown(): void;
}

export interface CallRules {
  /** Why a call other than Enroll is not for this peer. */
  refusalOf(peerName: string): CodedError;
  onRefused(code: string): void;
  /** A unary call of an agent has this long. */
  readonly wholeWithinMs: number;
  onStuck(peerName: string): void;
}

/**
 * Two gRPC servers, one for agents and one for whoever showed no good certificate: what a server keeps of unfinished messages
 * is bounded by its own options only, and an Enroll needs a five-hundredth of what a report does.
 */
export function createServers(handlers: AgentServiceHandlers, rules: CallRules): Servers {
  const agents = new Server({
    ...COMMON,
    'grpc.max_receive_message_length': MAX_TRANSPORT_BYTES,
    'grpc.max_concurrent_streams': AGENT_STREAMS,
    interceptors: [wholeSoon(rules)],
  });
  const anonymous = new Server({
    ...COMMON,
    'grpc.max_receive_message_length': MAX_ENROLL_BYTES,
    'grpc.max_concurrent_streams': ANONYMOUS_STREAMS,
    'grpc-node.max_session_memory': ANONYMOUS_SESSION_MIB,
    interceptors: [enrollOnly(rules)],
  });
  for (const server of [agents, anonymous]) server.addService(AGENT_SERVICE, handlers);
  const toAgents = agents.createConnectionInjector(ServerCredentials.createInsecure());
  const toAnonymous = anonymous.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    serve: (socket, kind) => (kind === 'agent' ? toAgents : toAnonymous).injectConnection(socket),
    forceShutdown() {
      agents.forceShutdown();
      anonymous.forceShutdown();
    },
  };
}

/** A unary call that does not become whole is refused, and its connection goes with what it holds of the message. */
function wholeSoon({ wholeWithinMs, onRefused, onStuck }: CallRules): ServerInterceptor {
  return (method, call) => {
    if (method.requestStream) return new ServerInterceptingCall(call);
    const timer = setTimeout(() => {
      const { code, details, metadata } = toServiceError(applianceErrors.make('CALL_STUCK'));
      onRefused('CALL_STUCK');
      call.sendStatus({ code, details, ...(metadata === undefined ? {} : { metadata }) });
      onStuck(call.getPeer());
    }, wholeWithinMs);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveHalfClose(pass) {
            clearTimeout(timer);
            pass();
          },
          onCancel: () => clearTimeout(timer),
        }),
    });
  };
}

/** Any call but Enroll is refused by its headers, before a byte of its message is kept; an Enroll must be whole soon. */
function enrollOnly({ refusalOf, onRefused }: CallRules): ServerInterceptor {
  return (method, call) => {
    let timer: NodeJS.Timeout | undefined;
    const refuse = (error: CodedError) => {
      const { code, details, metadata } = toServiceError(error);
      onRefused(error.code);
      call.sendStatus({ code, details, ...(metadata === undefined ? {} : { metadata }) });
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, pass) {
            if (method.path !== AgentServiceService.enroll.path) {
              refuse(refusalOf(call.getPeer()));
              return;
            }
            timer = setTimeout(() => refuse(applianceErrors.make('ENROLL_TOO_SLOW')), ENROLL_WHOLE_WITHIN_MS);
            pass(metadata);
          },
          onReceiveHalfClose(pass) {
            clearTimeout(timer);
            pass();
          },
          onCancel: () => clearTimeout(timer),
        }),
    });
  };
}
