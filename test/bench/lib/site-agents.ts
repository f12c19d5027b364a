import { newId } from '@sitewarden/kit/ids';
import { makeCsr } from '../../../agent/identity/csr.ts';
import { loadIdentity } from '../../../appliance/identity/index.ts';
import { agents, certificates, openStore } from '../../../appliance/store/index.ts';
import { type AgentIdentity, certificatePem } from '../../helpers/agent-client.ts';

/**
 * Enrolled agents in a data folder no appliance runs on yet: enrolling is not what is measured, and over the wire it is
 * held to five a second.
 */
export async function makeAgents(dataDir: string, count: number): Promise<AgentIdentity[]> {
  const { siteCa, serverTls } = await loadIdentity({ dataDir, publicHosts: [] });
  await serverTls(Date.now());
  const { db } = openStore(dataDir);
  try {
    const identities: AgentIdentity[] = [];
    for (let index = 0; index < count; index += 1) {
      const agentId = newId('agt');
      const nowMs = Date.now();
      const { keyPem, csr } = await makeCsr();
      const issued = await siteCa.issueForAgent({ csr, agentId, nowMs });
      const host = { hostname: `desk-${index + 1}`, osFamily: 'linux', osVersion: 'test', agentVersion: '0.0.0' };
      agents.insert(db, { id: agentId, host, tier: 0, enrolledAtMs: nowMs });
      certificates.insert(db, { serial: issued.serial, agentId, notAfterMs: issued.notAfterMs });
      identities.push({
        agentId,
        keyPem,
        certificatePem: certificatePem(issued.der),
        siteCaPem: siteCa.certificatePem,
      });
    }
    return identities;
  } finally {
    db.close();
  }
}
