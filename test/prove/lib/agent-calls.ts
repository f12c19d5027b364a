import { randomBytes } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { AgentServiceClient, type SessionResponse } from '@sitewarden/agent-proto/agent';
import { makeCsr } from '../../../agent/identity/csr.ts';
import { APPLIANCE_SERVER_NAME } from '../../../agent/identity/pin.ts';
import { sixResults } from '../../helpers/agent-client.ts';
import type { KeyAndCertificate } from './certificates.ts';

export const RPCS = ['session', 'pushReport', 'renewCertificate'] as const;
export type Rpc = (typeof RPCS)[number];

/** `hung`: neither an answer nor a refusal. */
export type Outcome = { kind: 'accepted' } | { kind: 'refused'; code: string } | { kind: 'hung' };

const DEADLINE_MS = 20_000;

export interface CallerOptions {
  readonly address: string;
  readonly caPem: string;
  readonly client?: KeyAndCertificate;
  readonly isPlaintext?: boolean;
}

/** A client that believes the server and shows what it is given. */
export function openCaller({ address, caPem, client, isPlaintext = false }: CallerOptions): AgentServiceClient {
  const channel = isPlaintext
    ? credentials.createInsecure()
    : credentials.createFromSecureContext(
        createSecureContext({
          ca: caPem,
          ...(client === undefined ? {} : { key: client.keyPem, cert: client.certificatePem }),
        }),
      );
  return new AgentServiceClient(address, channel, {
    'grpc.ssl_target_name_override': APPLIANCE_SERVER_NAME,
    'grpc.default_authority': APPLIANCE_SERVER_NAME,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
  });
}

/** Tries one call on a connection of its own. */
export async function tryCall(rpc: Rpc, options: CallerOptions): Promise<Outcome> {
  const client = openCaller(options);
  try {
    return await callOn(client, rpc);
  } finally {
    client.close();
  }
}

export async function callOn(client: AgentServiceClient, rpc: Rpc): Promise<Outcome> {
  const deadline = { deadline: Date.now() + DEADLINE_MS };
  const csr = rpc === 'renewCertificate' ? (await makeCsr()).csr : undefined;
  return await new Promise<Outcome>((resolve) => {
    const done = (error: ServiceError | null) => resolve(error === null ? { kind: 'accepted' } : outcomeOf(error));
    if (rpc === 'pushReport') client.pushReport({ report: sixResults(1) }, deadline as never, done);
    else if (csr !== undefined) {
      client.renewCertificate({ csr, nonce: randomBytes(32) }, deadline as never, done);
    } else {
      const stream = client.session(deadline);
      stream.on('error', (error: ServiceError) => resolve(outcomeOf(error)));
      stream.on('end', () => resolve({ kind: 'refused', code: 'ended' }));
      stream.on('data', (message: SessionResponse) => {
        if (message.message?.$case === 'welcome') resolve({ kind: 'accepted' });
        stream.cancel();
      });
      const host = { hostname: 'stranger', osFamily: 'linux', osVersion: 'test', agentVersion: '0.0.0' };
      stream.write({ message: { $case: 'hello', value: { host, lastSeq: 0, bootId: 'proof' } } });
    }
  });
}

function outcomeOf(error: ServiceError): Outcome {
  if (error.code === status.DEADLINE_EXCEEDED) return { kind: 'hung' };
  const code = error.metadata?.get('error-code')[0];
  return { kind: 'refused', code: code === undefined ? (status[error.code] ?? String(error.code)) : String(code) };
}
