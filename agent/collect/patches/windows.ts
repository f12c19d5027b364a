import type { Facts } from '@sitewarden/agent-proto/agent';
import {
  type Row,
  rowFlag,
  rowInteger,
  rowList,
  rowText,
  type SectionAnswer,
  sectionProblem,
} from '../../windows/index.ts';
import { wholeDays } from '../age.ts';
import type { CollectContext, Observation } from '../types.ts';

export interface WindowsUpdateSight {
  readonly updates: SectionAnswer;
  readonly reboot: SectionAnswer;
  readonly hotfixes: SectionAnswer;
  readonly nowMs: number;
}

export async function collectWindowsUpdate({ windows, nowMs }: CollectContext): Promise<Observation[]> {
  const [updates, reboot, hotfixes] = await Promise.all([
    windows.ask('updates'),
    windows.ask('reboot'),
    windows.ask('hotfixes'),
  ]);
  return [{ subject: '', facts: windowsUpdateFacts({ updates, reboot, hotfixes, nowMs }) }];
}

/** Categories of Windows Update by their ids; their names are translated. */
export const SECURITY_CATEGORIES: readonly string[] = [
  '0fa1201d-4330-4fa8-8ae9-b877473b6441', // security updates
  'e6cf1350-c01b-414d-a61f-263d14d133b4', // critical updates
];
/** Signatures of Defender come several times a day and have a check of their own. */
const DEFINITIONS = 'e0789628-ce08-4437-be74-2495b842f43b';
/** MsrcSeverity is a word of Microsoft's, not of the language of Windows. */
const SEVERITIES = ['Critical', 'Important', 'Moderate', 'Low'];
const DRIVER = 2;
const SUCCEEDED = [2, 3];
const MAX_SAMPLE = 16;

/** What the last search of this machine's own Windows Update agent found. */
export function windowsUpdateFacts({ updates, reboot, hotfixes, nowMs }: WindowsUpdateSight): Facts {
  const facts: Facts = { manager: 'windows_update' };
  if (reboot.ok && reboot.rows.length > 0) {
    const owed = reboot.rows.map((row) => rowFlag(row, 'IsOwed'));
    if (!owed.includes(undefined)) facts.reboot_required = owed.includes(true);
  }
  if (hotfixes.ok) facts.hotfixes = hotfixes.rows.length;
  if (!updates.ok) return { ...facts, probe_error: sectionProblem('The Windows Update agent', updates) };
  const [row] = updates.rows;
  const listed = row && rowList(row, 'Updates');
  if (row === undefined || listed === undefined) {
    const isLimited = row !== undefined && rowText(row, 'Mode') !== 'FullLanguage';
    const probe_error = isLimited
      ? 'PowerShell is limited here and may not ask the Windows Update agent. Look at Windows Update by hand.'
      : 'The Windows Update agent did not tell what is pending. Look at Windows Update by hand.';
    return { ...facts, probe_error };
  }
  const ageOf = (name: string): number | undefined => {
    const atS = rowInteger(row, name);
    return atS === undefined ? undefined : wholeDays(nowMs - atS * 1000);
  };
  const [searchedDays, installedDays] = [ageOf('SearchedAtS'), ageOf('InstalledAtS')];
  if (searchedDays !== undefined) facts.index_age_days = searchedDays;
  if (installedDays !== undefined) facts.last_install_age_days = installedDays;
  const pending = (listed as Row[]).filter((update) => !isSkipped(update));
  const security = pending.filter(isSecurity);
  Object.assign(facts, {
    pending_security: security.length,
    pending_total: pending.length,
    sample: [...security, ...pending.filter((update) => !isSecurity(update))].flatMap(kbOf).slice(0, MAX_SAMPLE),
  });
  return SUCCEEDED.includes(rowInteger(row, 'ResultCode') ?? -1)
    ? facts
    : { ...facts, probe_error: 'The Windows Update agent did not finish its search. Look at Windows Update by hand.' };
}

const categoriesOf = (update: Row): string[] =>
  (rowList(update, 'Categories') ?? []).map((id) => String(id).toLowerCase().replace(/[{}]/g, ''));

const isSecurity = (update: Row): boolean =>
  categoriesOf(update).some((id) => SECURITY_CATEGORIES.includes(id)) ||
  SEVERITIES.includes(rowText(update, 'MsrcSeverity') ?? '');

/** Drivers and what only a person who looks for it is offered are no debt. */
function isSkipped(update: Row): boolean {
  if (categoriesOf(update).includes(DEFINITIONS)) return true;
  if (isSecurity(update)) return false;
  return rowInteger(update, 'Type') === DRIVER || rowFlag(update, 'BrowseOnly') === true;
}

const kbOf = (update: Row): string[] => (rowList(update, 'Kb') ?? []).slice(0, 1).map((number) => `KB${number}`);
