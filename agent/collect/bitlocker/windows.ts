import type { Facts } from '@sitewarden/agent-proto/agent';
import { KEY_PROTECTORS } from '@sitewarden/agent-proto/checks';
import {
  type Row,
  rowFlag,
  rowInteger,
  rowList,
  rowText,
  type SectionAnswer,
  sectionProblem,
} from '../../windows/index.ts';
import type { CollectContext, Observation } from '../types.ts';

export interface BitlockerSight {
  readonly system: SectionAnswer;
  readonly bitlocker: SectionAnswer;
  readonly disks: SectionAnswer;
  readonly tpm: SectionAnswer;
}

export async function collectBitlockerWindows({ windows }: CollectContext): Promise<Observation[]> {
  const [system, bitlocker, disks, tpm] = await Promise.all([
    windows.ask('system'),
    windows.ask('bitlocker'),
    windows.ask('disks'),
    windows.ask('tpm'),
  ]);
  return [{ subject: '', facts: bitlockerFacts({ system, bitlocker, disks, tpm }) }];
}

/** Win32_EncryptableVolume */
const PROTECTION_OFF = 0;
const PROTECTION_ON = 1;
const FULLY_DECRYPTED = 0;
const FULLY_ENCRYPTED = 1;
const LOCKED = 1;
const OPERATING_SYSTEM = 0;
const REMOVABLE = 2;
/** Win32_Volume */
const LOCAL_DISK = 3;
/** Boot and recovery partitions have no letter and are this small; a data volume in a folder is not. */
const SMALL_BYTES = 4 * 1024 ** 3;

type State = 'encrypted' | 'bare' | 'unprotected' | 'converting' | 'locked' | 'not_known';

/** Facts of the fixed volumes. One that cannot be judged counts in `volumes` and in nothing else. */
export function bitlockerFacts({ system, bitlocker, disks, tpm }: BitlockerSight): Facts {
  if (!bitlocker.ok) {
    const what = 'The state of BitLocker';
    return { ...tpmFacts(tpm), probe_error: sectionProblem(what, bitlocker) };
  }
  const volumes = fixedVolumes(bitlocker.rows, disks);
  const named = volumes.map(({ name, row }) => ({ name, row, state: row === undefined ? 'not_known' : stateOf(row) }));
  const namesOf = (state: State): string[] => named.filter((one) => one.state === state).map(({ name }) => name);
  const systemDrive = system.ok ? system.rows.map((row) => rowText(row, 'SystemDrive')).find(Boolean) : undefined;
  const root = named.find(
    ({ name, row }) => name === systemDrive || (row && rowInteger(row, 'VolumeType') === OPERATING_SYSTEM),
  );
  const encrypted = namesOf('encrypted');
  const protectors = root?.row === undefined ? undefined : protectorsOf(root.row);
  const facts: Facts = {
    technology: named.some(({ state }) => !['bare', 'not_known'].includes(state)) ? 'bitlocker' : 'none',
    volumes: named.length,
    encrypted_volumes: encrypted.length,
    unencrypted_volumes: namesOf('bare'),
    unprotected_volumes: namesOf('unprotected'),
    converting_volumes: namesOf('converting'),
    locked_volumes: namesOf('locked'),
    ...tpmFacts(tpm),
  };
  if (root !== undefined && root.state !== 'not_known') facts.root_encrypted = root.state === 'encrypted';
  if (protectors !== undefined) {
    facts.key_protectors = protectors;
    facts.recovery_protector = protectors.includes('recovery_password');
    // Windows keeps no note of where a recovery password was stored, so without one is all that can be told.
    facts.escrow = facts.recovery_protector ? 'not_known' : 'none';
  }
  const problem = problemOf({ named, disks, hasRoot: root !== undefined });
  return problem === '' ? facts : { ...facts, probe_error: problem };
}

interface Volume {
  readonly name: string;
  /** Of Win32_EncryptableVolume; undefined when that does not show it. */
  readonly row: Row | undefined;
}

/** What BitLocker shows, and the local disks it does not show. */
function fixedVolumes(rows: readonly Row[], disks: SectionAnswer): Volume[] {
  const disksById = new Map(disks.ok ? disks.rows.map((disk) => [idOf(disk), disk]) : []);
  const seen = new Set<string>();
  const volumes: Volume[] = [];
  for (const row of rows) {
    const disk = disksById.get(idOf(row));
    seen.add(idOf(row));
    const isRemovable =
      rowInteger(row, 'VolumeType') === REMOVABLE ||
      (disk !== undefined && rowInteger(disk, 'DriveType') !== LOCAL_DISK);
    if (!isRemovable && !isBootPartition(row, disk)) volumes.push({ name: nameOf(row), row });
  }
  for (const [id, disk] of disksById) {
    if (seen.has(id) || rowInteger(disk, 'DriveType') !== LOCAL_DISK || isBootPartition(disk, disk)) continue;
    volumes.push({ name: nameOf(disk), row: undefined });
  }
  return volumes;
}

const idOf = (row: Row): string => rowText(row, 'DeviceID')?.toLowerCase() ?? '';
const nameOf = (row: Row): string => rowText(row, 'DriveLetter') ?? 'volume without a letter';

/** The firmware reads these before any key is there. Without its disk a volume with no letter is taken for one. */
function isBootPartition(row: Row, disk: Row | undefined): boolean {
  if (rowText(row, 'DriveLetter') !== undefined) return false;
  if (rowInteger(row, 'VolumeType') === OPERATING_SYSTEM) return false;
  if (disk === undefined) return true;
  const bytes = rowInteger(disk, 'Capacity');
  const isLoader = rowFlag(disk, 'SystemVolume') === true && rowFlag(disk, 'BootVolume') !== true;
  return isLoader || (bytes !== undefined && bytes < SMALL_BYTES);
}

/** "Encrypted" alone says nothing: with protection off, the key lies beside the data in the clear. */
function stateOf(row: Row): State {
  const conversion = rowInteger(row, 'ConversionStatus');
  const protection = rowInteger(row, 'ProtectionStatus');
  const percent = rowInteger(row, 'EncryptionPercentage');
  const protectors = rowList(row, 'KeyProtectorTypes');
  if (rowInteger(row, 'LockStatus') === LOCKED) return 'locked';
  if (conversion === FULLY_DECRYPTED) return protection === PROTECTION_ON ? 'not_known' : 'bare';
  if (conversion !== undefined && conversion > FULLY_ENCRYPTED && conversion <= 5) return 'converting';
  if (conversion !== FULLY_ENCRYPTED) return 'not_known';
  if (percent !== undefined && percent !== 100) return 'converting';
  if (protection === PROTECTION_OFF || protectors?.length === 0) return 'unprotected';
  return protection === PROTECTION_ON ? 'encrypted' : 'not_known';
}

function protectorsOf(row: Row): string[] | undefined {
  const types = rowList(row, 'KeyProtectorTypes');
  if (types === undefined) return undefined;
  return [...new Set(types.map((type) => KEY_PROTECTORS[Number(type)] ?? 'unknown'))];
}

/** No instance, or no such class: Windows has no TPM it can use. */
function tpmFacts(tpm: SectionAnswer): Facts {
  if (!tpm.ok) return tpm.problem === 'not_there' ? { tpm_present: false } : {};
  if (tpm.rows.length === 0) return { tpm_present: false };
  const isEnabled = rowFlag(tpm.rows[0]!, 'IsEnabled_InitialValue');
  return isEnabled === undefined ? {} : { tpm_present: isEnabled };
}

function problemOf(sight: {
  named: readonly { name: string; state: string }[];
  disks: SectionAnswer;
  hasRoot: boolean;
}): string {
  const { named, disks, hasRoot } = sight;
  const hidden = named.filter(({ state }) => state === 'not_known').map(({ name }) => name);
  const locked = named.filter(({ state }) => state === 'locked').map(({ name }) => name);
  if (locked.length > 0)
    return `${locked.join(', ')} is locked and cannot be judged. Unlock it and run the check again.`;
  if (hidden.length > 0) return `BitLocker does not tell the state of ${hidden.join(', ')}. Run the agent as SYSTEM.`;
  if (!disks.ok) return sectionProblem('The list of local disks', disks);
  return hasRoot ? '' : 'The volume of Windows itself was not seen. Run the agent as SYSTEM.';
}
