import { X509Certificate } from 'node:crypto';
import type { AgentServiceClient } from '@sitewarden/agent-proto/agent';
import { agentErrors } from '../errors.ts';
import { renewalDueMs } from './certificates.ts';
import { openClient } from './channel.ts';
import { renew } from './renew.ts';
import { readIdentity, type StoredIdentity } from './store.ts';

/** What the rest of the agent sees of the identity: no key leaves this folder. */
export interface AgentIdentity {
  readonly agentId: string;
  /** As enrolled; the configuration may name another. */
  readonly applianceAddress: string;
  readonly notAfterMs: number;
  /** Wall time from which `renew` is due. */
  readonly renewalDueMs: number;
  /** mTLS to the appliance with the newest certificate. The caller closes it. */
  connect(address: string): AgentServiceClient;
  /** Switches to a new key and certificate. Throws RENEWAL_REFUSED, AGENT_REMOVED, APPLIANCE_UNREACHABLE. */
  renew(address: string): Promise<void>;
}

/** Throws NOT_ENROLLED, IDENTITY_DAMAGED. */
export async function openIdentity(dataDir: string): Promise<AgentIdentity> {
  const stored = await readIdentity(dataDir);
  if (stored === undefined) throw agentErrors.make('NOT_ENROLLED');
  let current: StoredIdentity = stored;
  let certificate = new X509Certificate(current.certificatePem);
  return {
    agentId: current.agentId,
    applianceAddress: current.applianceAddress,
    get notAfterMs() {
      return certificate.validToDate.getTime();
    },
    get renewalDueMs() {
      return renewalDueMs(certificate, current.certifiedAtMs);
    },
    connect: (address) => openClient(address, { trustedCaPems: current.trustedCaPems, client: current }),
    async renew(applianceAddress) {
      current = await renew(current, { dataDir, applianceAddress });
      certificate = new X509Certificate(current.certificatePem);
    },
  };
}
