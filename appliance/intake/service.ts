import type {
  handleBidiStreamingCall,
  handleUnaryCall,
  ServerUnaryCall,
  ServiceDefinition,
  sendUnaryData,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import {
  AgentServiceService,
  EnrollRequest,
  type EnrollResponse,
  FetchInstallerRequest,
  type FetchInstallerResponse,
  type PushReportResponse,
  RenewCertificateRequest,
  type RenewCertificateResponse,
  type SessionResponse,
} from '@sitewarden/agent-proto/agent';
import { toServiceError } from './grpc-error.ts';
import {
  type PushMessage,
  readPushReport,
  readSessionMessage,
  readUnary,
  type SessionMessage,
  type UnaryMessage,
} from './messages.ts';

/** AGENT/1 as in agent-proto, with readers that keep a report's bytes and never throw. */
export const AGENT_SERVICE = {
  ...AgentServiceService,
  enroll: { ...AgentServiceService.enroll, requestDeserialize: readUnary(EnrollRequest) },
  renewCertificate: {
    ...AgentServiceService.renewCertificate,
    requestDeserialize: readUnary(RenewCertificateRequest),
  },
  fetchInstaller: { ...AgentServiceService.fetchInstaller, requestDeserialize: readUnary(FetchInstallerRequest) },
  session: { ...AgentServiceService.session, requestDeserialize: readSessionMessage },
  pushReport: { ...AgentServiceService.pushReport, requestDeserialize: readPushReport },
} as unknown as ServiceDefinition;

export interface AgentServiceHandlers extends UntypedServiceImplementation {
  enroll: handleUnaryCall<UnaryMessage<EnrollRequest>, EnrollResponse>;
  session: handleBidiStreamingCall<SessionMessage, SessionResponse>;
  pushReport: handleUnaryCall<PushMessage, PushReportResponse>;
  renewCertificate: handleUnaryCall<UnaryMessage<RenewCertificateRequest>, RenewCertificateResponse>;
  fetchInstaller: handleUnaryCall<UnaryMessage<FetchInstallerRequest>, FetchInstallerResponse>;
}

/** An async function as a unary handler: what it throws becomes the status. */
export function unary<Q, A>(
  answer: (request: Q, peerName: string) => Promise<A>,
  onRefused: (code: string, error: unknown) => void,
): handleUnaryCall<Q, A> {
  return (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>) => {
    Promise.resolve()
      .then(() => answer(call.request, call.getPeer()))
      .then(
        (value) => callback(null, value),
        (error: unknown) => {
          const serviceError = toServiceError(error);
          onRefused(serviceError.name ?? 'INTERNAL', error);
          callback(serviceError);
        },
      );
  };
}
