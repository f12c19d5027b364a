import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import {
  type AgentServiceClient,
  encodeFacts,
  type Report,
  type SessionRequest,
  type SessionResponse,
} from '@sitewarden/agent-proto/agent';
import { parseAddress } from '../../agent/identity/address.ts';
import { openClient } from '../../agent/identity/channel.ts';
import { makeCsr } from '../../agent/identity/csr.ts';
import { fetchPinnedCa } from '../../agent/identity/pin.ts';

export interface AgentIdentity {
  agentId: string;
  keyPem: string;
  certificatePem: string;
  siteCaPem: string;
}

export const certificatePem = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${(
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  ).join('\n')}\n-----END CERTIFICATE-----\n`;

/** Enrols over the real port with the token file the appliance wrote. */
export async function enroll(tokenFile: string, hostname = 'test-host'): Promise<AgentIdentity> {
  const { applianceAddress, token, caFingerprint } = JSON.parse(readFileSync(tokenFile, 'utf8'));
  const siteCaPem = (await fetchPinnedCa(parseAddress(applianceAddress), caFingerprint, 10_000)).toString();
  const { keyPem, csr } = await makeCsr();
  const client = openClient(applianceAddress, { trustedCaPems: [siteCaPem] });
  try {
    const answer = await new Promise<{ agentId: string; certificate: Buffer }>((resolve, reject) =>
      client.enroll(
        {
          token,
          csr,
          nonce: randomBytes(32),
          host: { hostname, osFamily: 'linux', osVersion: 'test', agentVersion: '0.0.0' },
        },
        (error, value) => (error ? reject(error) : resolve(value)),
      ),
    );
    return { agentId: answer.agentId, keyPem, certificatePem: certificatePem(answer.certificate), siteCaPem };
  } finally {
    client.close();
  }
}

export interface TestSession {
  client: AgentServiceClient;
  stream: ClientDuplexStream<SessionRequest, SessionResponse>;
  /** Highest sequence number acknowledged so far. */
  ackedThrough(): number;
  send(message: SessionRequest['message']): boolean;
  close(): void;
}

/** Opens a session and resolves after Welcome. `onMessage` sees everything afterwards. */
export function openSession(
  address: string,
  identity: AgentIdentity,
  onMessage: (message: SessionResponse) => void = () => {},
): Promise<TestSession> {
  const client = openClient(address, { trustedCaPems: [identity.siteCaPem], client: identity });
  const stream = client.session();
  let acked = 0;
  const session: TestSession = {
    client,
    stream,
    ackedThrough: () => acked,
    send: (message) => stream.write({ message }),
    close: () => {
      stream.cancel();
      client.close();
    },
  };
  return new Promise((resolve, reject) => {
    stream.on('error', reject);
    stream.on('end', () => reject(new Error('the session ended before Welcome')));
    stream.on('data', (message: SessionResponse) => {
      if (message.message?.$case === 'ack') acked = Math.max(acked, message.message.value.throughSeq);
      if (message.message?.$case === 'welcome') {
        acked = message.message.value.ackedThrough;
        resolve(session);
      }
      onMessage(message);
    });
    session.send({
      $case: 'hello',
      value: {
        host: { hostname: 'test-host', osFamily: 'linux', osVersion: 'test', agentVersion: '0.0.0' },
        lastSeq: 0,
        bootId: 'test',
      },
    });
  });
}

/** A report as agents send it: six results with their facts. */
export function sixResults(seq: number, collectedAtMs = Date.now()): Report {
  const result = (check: string, subject: string, facts: Parameters<typeof encodeFacts>[0], controls: string[]) => ({
    check,
    subject,
    status: 1 as const,
    severity: 1 as const,
    controls,
    expected: 'as the policy of the site says',
    actual: 'as the policy of the site says',
    facts: encodeFacts(facts),
    collectedAtMs,
    durationMs: 12,
    reason: 'everything asked for is in place',
  });
  return {
    seq,
    orderId: '',
    rmmFindings: [],
    rmmLooked: false,
    results: [
      result('bitlocker', '', { technology: 'luks', encrypted_volumes: ['/', '/home'], root_encrypted: true }, [
        'HIPAA:164.312(a)(2)(iv)',
      ]),
      result('defender', '', { engine: 'clamav', engine_running: true, signature_age_days: 1 }, [
        'HIPAA:164.308(a)(5)(ii)(B)',
      ]),
      result('firewall', '', { technology: 'nftables', active: true, input_policy: 'drop', rule_count: 31 }, [
        'HIPAA:164.312(e)(1)',
      ]),
      result('patches', '', { manager: 'apt', pending_security: 0, pending_total: 3, index_age_days: 0 }, [
        'HIPAA:164.308(a)(1)(ii)(B)',
      ]),
      result('screenlock', '', { desktop: 'gnome', lock_enabled: true, idle_seconds: 300 }, [
        'HIPAA:164.312(a)(2)(iii)',
      ]),
      result('services', 'cron', { service: 'cron', manager: 'systemd', state: 'running' }, [
        'HIPAA:164.308(a)(1)(ii)(D)',
      ]),
    ],
  };
}
