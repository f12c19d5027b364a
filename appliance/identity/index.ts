import { join } from 'node:path';
import { ensureDir, readFileIfExists } from '@sitewarden/kit/files';
import { dropNext, putNextInForce } from './key-files.ts';
import { dropBlobIfUnused, hasSealed } from './open-vault.ts';
import { loadSealKey, type SealKey } from './seal-key.ts';
import { ensureServerTls, readServerKey, type ServerTls, serverNames } from './server-certificate.ts';
import {
  type DeviceKey,
  type EvidenceKey,
  findNextKey,
  loadDeviceKey,
  loadEvidenceKey,
  makeNextKey,
  type NextKey,
  ROTATING,
} from './signing-key.ts';
import { loadSiteCa, type SiteCa } from './site-ca.ts';
import { PLAIN_VAULT, type Vault } from './vault.ts';

export type { Vault } from './vault.ts';

const IDENTITY_FOLDER = 'identity';

export type KeyStorage = 'plain' | 'tpm';

/** The folder of the keys inside the data folder. */
export const identityFolder = (dataDir: string): string => join(dataDir, IDENTITY_FOLDER);

/** How the keys lie on disk, as far as can be seen without opening them; undefined: there are none yet. */
export async function keyStorageOf(dataDir: string): Promise<KeyStorage | undefined> {
  const dir = identityFolder(dataDir);
  if ((await readFileIfExists(join(dir, ROTATING.dik))) === undefined) return undefined;
  return (await hasSealed(dir)) ? 'tpm' : 'plain';
}

export { openVault } from './open-vault.ts';
export { SERVER_NAME, type ServerTls } from './server-certificate.ts';
export { type DeviceKey, type EvidenceKey, evidenceKeyOf, type NextKey, type PublicKeyInfo } from './signing-key.ts';
export { AGENT_CERTIFICATE_MS, type IssuedCertificate, type SiteCa } from './site-ca.ts';

/** Everything this box can prove. Private keys stay inside this folder; what is handed out are uses of them. */
export interface Identity {
  readonly dik: DeviceKey;
  readonly evk: EvidenceKey;
  readonly seal: SealKey;
  readonly siteCa: SiteCa;
  /** Of the agents' port; renewed here when it runs out or the box has new names. `isNew` since the call before. */
  serverTls(nowMs: number): Promise<{ tls: ServerTls; isNew: boolean }>;
  readonly next: NextKeys;
  /** Whether the key files are of use without the TPM of this machine. */
  readonly storage: KeyStorage;
}

/** Keys that are to follow those in force. What was put in force is used by the next `loadIdentity` only. */
export interface NextKeys {
  /** The one there is, or a new one. */
  make(name: RotatingKey): Promise<NextKey>;
  find(name: RotatingKey): Promise<NextKey | undefined>;
  /** Takes the place of the present key; durable when this resolves. */
  putInForce(name: RotatingKey): Promise<void>;
  drop(name: RotatingKey): Promise<void>;
}
export type RotatingKey = keyof typeof ROTATING;

/** Keys under `<dataDir>/identity` (0700, files 0600), made at first boot. Throws IDENTITY_DAMAGED. */
export async function loadIdentity(input: {
  dataDir: string;
  publicHosts: readonly string[];
  /** Default: the files are plain. */
  vault?: Vault;
}): Promise<Identity> {
  const dir = identityFolder(input.dataDir);
  await ensureDir(dir, 0o700);
  const folder = { dir, vault: input.vault ?? PLAIN_VAULT };
  const dik = await loadDeviceKey(folder);
  const evk = await loadEvidenceKey(folder);
  const seal = await loadSealKey(folder);
  const siteCa = await loadSiteCa(folder);
  // These are read when they are needed; when the vault changes they must change with the others.
  for (const name of ['dik', 'evk'] as const) await findNextKey(folder, name);
  await readServerKey(folder);
  await dropBlobIfUnused(folder);
  return {
    dik,
    evk,
    seal,
    siteCa,
    serverTls: (nowMs) => ensureServerTls(folder, { ca: siteCa, names: serverNames(input.publicHosts), nowMs }),
    storage: folder.vault.isSealing ? 'tpm' : 'plain',
    next: {
      make: (name) => makeNextKey(folder, name),
      find: (name) => findNextKey(folder, name),
      putInForce: (name) => putNextInForce(dir, ROTATING[name]),
      drop: (name) => dropNext(dir, ROTATING[name]),
    },
  };
}
