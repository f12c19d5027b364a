import { join } from 'node:path';
import { ensureDir } from '@sitewarden/kit/files';
import { loadSealKey, type SealKey } from './seal-key.ts';
import { ensureServerTls, type ServerTls, serverNames } from './server-certificate.ts';
import { type DeviceKey, type EvidenceKey, loadDeviceKey, loadEvidenceKey } from './signing-key.ts';
import { loadSiteCa, type SiteCa } from './site-ca.ts';

export { SERVER_NAME, type ServerTls } from './server-certificate.ts';
export { type DeviceKey, type EvidenceKey, evidenceKeyOf, type PublicKeyInfo } from './signing-key.ts';
export { AGENT_CERTIFICATE_MS, type IssuedCertificate, type SiteCa } from './site-ca.ts';

/** Everything this box can prove. Private keys stay inside this folder; what is handed out are uses of them. */
export interface Identity {
  readonly dik: DeviceKey;
  readonly evk: EvidenceKey;
  readonly seal: SealKey;
  readonly siteCa: SiteCa;
  /** Of the agents' port; renewed here when it runs out or the box has new names. `isNew` since the call before. */
  serverTls(nowMs: number): Promise<{ tls: ServerTls; isNew: boolean }>;
}

export const identityDir = (dataDir: string): string => join(dataDir, 'identity');

/** Keys under `<dataDir>/identity` (0700, files 0600), made at first boot. Throws IDENTITY_DAMAGED. */
export async function loadIdentity(input: { dataDir: string; publicHosts: readonly string[] }): Promise<Identity> {
  const dir = identityDir(input.dataDir);
  await ensureDir(dir, 0o700);
  const dik = await loadDeviceKey(dir);
  const evk = await loadEvidenceKey(dir);
  const seal = await loadSealKey(dir);
  const siteCa = await loadSiteCa(dir);
  return {
    dik,
    evk,
    seal,
    siteCa,
    serverTls: (nowMs) => ensureServerTls(dir, { ca: siteCa, names: serverNames(input.publicHosts), nowMs }),
  };
}
