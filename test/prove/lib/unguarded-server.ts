// The control of T29: the same service by the library's own means. It believes what it reads and keeps all of it.
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import {
  AgentServiceService,
  decodeFacts,
  type PushReportRequest,
  type SessionRequest,
  type SessionResponse,
} from '@sitewarden/agent-proto/agent';
import { serveParent } from '../../bench/lib/child.ts';

const kept: unknown[] = [];

// It dies as it would, without a word among the results.
process.once('uncaughtException', () => process.exit(1));

function seqOf({ report }: PushReportRequest): number {
  kept.push(report?.results.map(({ facts }) => decodeFacts(facts)));
  return (report as NonNullable<typeof report>).seq;
}

const server = new Server({ 'grpc.max_receive_message_length': -1 });
const unanswered = (_call: unknown, callback: (error: null, value: object) => void) => callback(null, {});
server.addService(AgentServiceService, {
  enroll: unanswered,
  renewCertificate: unanswered,
  pushReport: (call: { request: PushReportRequest }, callback: (error: null, value: { throughSeq: number }) => void) =>
    callback(null, { throughSeq: seqOf(call.request) }),
  session(call: ServerDuplexStream<SessionRequest, SessionResponse>) {
    call.on('data', ({ message }: SessionRequest) => {
      kept.push(message);
      const throughSeq =
        message?.$case === 'report' ? seqOf({ report: message.value }) : message!.value !== null ? 1 : 0;
      call.write({ message: { $case: 'ack', value: { throughSeq } } });
    });
    call.on('end', () => call.end());
  },
} as never);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  serveParent<object, object>({ address: `127.0.0.1:${port}` }, async () => ({}));
});
