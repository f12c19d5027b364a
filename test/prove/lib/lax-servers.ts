import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { AgentServiceService, type SessionRequest, type SessionResponse } from '@sitewarden/agent-proto/agent';
import { loadIdentity } from '../../../appliance/identity/index.ts';

export interface LaxServers {
  /** Asks for no client certificate and believes everyone. */
  readonly grpcAddress: string;
  /** Speaks every version and cipher suite this OpenSSL still can. */
  readonly tlsPort: number;
  close(): Promise<void>;
}

/** The controls of the TLS proof: the same key and certificate, none of the strictness. */
export async function startLaxServers(dataDir: string): Promise<LaxServers> {
  const { serverTls } = await loadIdentity({ dataDir, publicHosts: [] });
  const { tls } = await serverTls(Date.now());
  const grpc = new Server();
  grpc.addService(AgentServiceService, {
    enroll: (_call: unknown, callback: (error: null, value: object) => void) => callback(null, {}),
    pushReport: (_call: unknown, callback: (error: null, value: object) => void) => callback(null, { throughSeq: 1 }),
    renewCertificate: (_call: unknown, callback: (error: null, value: object) => void) =>
      callback(null, { certificate: Buffer.alloc(0), siteCa: Buffer.alloc(0), nonce: Buffer.alloc(0), notAfterMs: 0 }),
    session(call: ServerDuplexStream<SessionRequest, SessionResponse>) {
      call.on('data', () =>
        call.write({
          message: { $case: 'welcome', value: { agentId: '', ackedThrough: 0, config: undefined, nowMs: 0 } },
        }),
      );
      call.on('error', () => {});
      call.on('end', () => call.end());
    },
  } as never);
  const pair = { private_key: Buffer.from(tls.keyPem), cert_chain: Buffer.from(tls.certificatePem) };
  const grpcPort = await new Promise<number>((resolve, reject) =>
    grpc.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(null, [pair], false), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );
  const old = createServer(
    { key: tls.keyPem, cert: tls.certificatePem, minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' },
    (socket) => socket.on('error', () => {}).resume(),
  );
  await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
  return {
    grpcAddress: `127.0.0.1:${grpcPort}`,
    tlsPort: (old.address() as AddressInfo).port,
    async close() {
      grpc.forceShutdown();
      await new Promise<void>((resolve) => old.close(() => resolve()));
    },
  };
}
