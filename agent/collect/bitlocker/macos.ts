import type { Facts } from '@sitewarden/agent-proto/agent';
import { askTool } from '../ask-tool.ts';
import { plistAsJson } from '../plist.ts';
import { toolProblem } from '../tool-problem.ts';
import type { CollectContext, Observation } from '../types.ts';

export async function collectFilevault({ signal }: CollectContext): Promise<Observation[]> {
  const status = await askTool(['/usr/bin/fdesetup', 'status'], { signal });
  const state = status.ok ? parseFdesetup(status.stdout) : undefined;
  if (state === undefined) {
    return [{ subject: '', facts: { probe_error: toolProblem('fdesetup', 'macOS 10.13 or newer', status) } }];
  }
  const listed = await askTool(['/usr/sbin/diskutil', 'apfs', 'list', '-plist'], { signal, maxBytes: 4 * 1024 * 1024 });
  const volumes = listed.ok ? parseApfs(await plistAsJson(listed.stdout, signal)) : undefined;
  return [{ subject: '', facts: filevaultFacts(state, volumes) }];
}

export type FilevaultState = 'on' | 'off' | 'encrypting' | 'decrypting' | 'restart_needed';

/** `fdesetup status` speaks English only. Its first line says on or off, a later one that a conversion is under way. */
export function parseFdesetup(text: string): FilevaultState | undefined {
  if (/^Encryption in progress/m.test(text)) return 'encrypting';
  if (/^Decryption in progress/m.test(text)) return 'decrypting';
  if (/^FileVault is On\.\s*$/m.test(text)) return 'on';
  if (/^FileVault is On, but needs to be restarted/m.test(text)) return 'restart_needed';
  return /^FileVault is Off/m.test(text) ? 'off' : undefined;
}

export interface ApfsVolume {
  readonly name: string;
  readonly isEncrypted: boolean | undefined;
  readonly isConverting: boolean;
  readonly isLocked: boolean;
  readonly isData: boolean;
}

/** Volumes without people's data: sealed, or read before a key is there. VM is always encrypted. */
const OTHER_ROLES = [
  'System',
  'Preboot',
  'Recovery',
  'VM',
  'Update',
  'Hardware',
  'xART',
  'Baseband',
  'Installer',
  'Sidecar',
];

/** Of `diskutil apfs list -plist`; undefined when it is something else. */
export function parseApfs(json: unknown): ApfsVolume[] | undefined {
  const containers = (json as { Containers?: unknown } | undefined)?.Containers;
  if (!Array.isArray(containers)) return undefined;
  const volumes: ApfsVolume[] = [];
  for (const container of containers) {
    const listed = (container as { Volumes?: unknown } | null)?.Volumes;
    if (!Array.isArray(listed)) return undefined;
    for (const volume of listed as Record<string, unknown>[]) {
      const roles = Array.isArray(volume.Roles) ? volume.Roles : [];
      if (roles.some((role) => OTHER_ROLES.includes(role))) continue;
      volumes.push({
        name: String(volume.Name ?? volume.DeviceIdentifier ?? 'volume'),
        isEncrypted: typeof volume.FileVault === 'boolean' ? volume.FileVault : undefined,
        isConverting: volume.CryptoMigrationOn === true,
        isLocked: volume.Locked === true,
        isData: roles.includes('Data') || roles.length === 0,
      });
    }
  }
  return volumes;
}

/** fdesetup speaks of the start volume alone; the others are told by APFS. */
export function filevaultFacts(state: FilevaultState, volumes: readonly ApfsVolume[] | undefined): Facts {
  const seen = volumes?.filter(({ isData }) => isData) ?? [];
  const namesOf = (test: (volume: ApfsVolume) => boolean) => seen.filter(test).map(({ name }) => name);
  const converting = namesOf(({ isConverting }) => isConverting);
  const bare = namesOf(({ isEncrypted, isConverting }) => isEncrypted === false && !isConverting);
  const isConverting = state === 'encrypting' || state === 'decrypting' || state === 'restart_needed';
  const facts: Facts = {
    technology: state === 'off' && bare.length === seen.length ? 'none' : 'filevault',
    volumes: Math.max(1, seen.length),
    encrypted_volumes: namesOf((one) => one.isEncrypted === true && !one.isConverting && !one.isLocked).length,
    unencrypted_volumes: state === 'off' && bare.length === 0 ? ['/'] : bare,
    converting_volumes: isConverting && converting.length === 0 ? ['/'] : converting,
    unprotected_volumes: [],
    locked_volumes: namesOf(({ isLocked }) => isLocked),
    root_encrypted: state === 'on',
    // macOS encrypts its swap files since 10.7, whatever FileVault does.
    swap_encrypted: true,
  };
  if (volumes === undefined || seen.length === 0) {
    return { ...facts, probe_error: 'diskutil does not show the volumes of this Mac. Run diskutil apfs list by hand.' };
  }
  return facts;
}
