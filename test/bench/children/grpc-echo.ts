// The control of `intake`: a grpc-js server that sends every message back and does nothing else.
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { AGENT_LIMITS, AgentServiceService } from '@sitewarden/agent-proto/agent';
import { loadIdentity } from '../../../appliance/identity/index.ts';
import { serveParent } from '../lib/child.ts';

const [dataDir, kind] = process.argv.slice(2) as [string, 'mtls' | 'plaintext'];
const same = (bytes: Buffer) => bytes;

const server = new Server({ 'grpc.max_receive_message_length': AGENT_LIMITS.maxMessageBytes });
server.addService(
  {
    session: {
      path: AgentServiceService.session.path,
      requestStream: true,
      responseStream: true,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  },
  {
    session(call: ServerDuplexStream<Buffer, Buffer>) {
      call.on('data', (message: Buffer) => call.write(message));
      call.on('end', () => call.end());
      call.on('error', () => {});
    },
  },
);

const port = await new Promise<number>((resolve, reject) => {
  void credentials().then((granted) =>
    server.bindAsync('127.0.0.1:0', granted, (error, bound) => (error ? reject(error) : resolve(bound))),
  );
});
serveParent({ address: `127.0.0.1:${port}` }, async () => ({}));

/** The same CA, key and certificate the appliance of this folder serves with. */
async function credentials(): Promise<ServerCredentials> {
  if (kind === 'plaintext') return ServerCredentials.createInsecure();
  const { siteCa, serverTls } = await loadIdentity({ dataDir, publicHosts: [] });
  const { tls } = await serverTls(Date.now());
  return ServerCredentials.createSsl(
    Buffer.from(siteCa.certificatePem),
    [{ private_key: Buffer.from(tls.keyPem), cert_chain: Buffer.from(tls.certificatePem) }],
    true,
  );
}
