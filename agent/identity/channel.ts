import { createSecureContext } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { AGENT_LIMITS, AgentServiceClient } from '@sitewarden/agent-proto/agent';
import { APPLIANCE_SERVER_NAME } from './pin.ts';
import type { StoredIdentity } from './store.ts';

export interface ChannelTrust {
  readonly trustedCaPems: readonly string[];
  /** With a client certificate (mTLS), or without before enrolment. */
  readonly client?: Pick<StoredIdentity, 'keyPem' | 'certificatePem'>;
}

/** A client on a connection of its own. Close it: a channel left open reconnects by itself for good. */
export function openClient(address: string, { trustedCaPems, client }: ChannelTrust): AgentServiceClient {
  const context = createSecureContext({
    ca: [...trustedCaPems],
    minVersion: 'TLSv1.2',
    ...(client === undefined ? {} : { key: client.keyPem, cert: client.certificatePem }),
  });
  return new AgentServiceClient(address, credentials.createFromSecureContext(context), {
    'grpc.ssl_target_name_override': APPLIANCE_SERVER_NAME,
    'grpc.default_authority': APPLIANCE_SERVER_NAME,
    'grpc.max_send_message_length': AGENT_LIMITS.maxMessageBytes,
    'grpc.max_receive_message_length': AGENT_LIMITS.maxMessageBytes,
    // Shared connections would outlive a renewed identity.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
  });
}
