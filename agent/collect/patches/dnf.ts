import type { PendingUpdates } from './apt.ts';

/** `RLSA-2024:1234 Important/Sec. openssl-libs-1:3.0.7-27.el9.x86_64` (dnf 4) or the columns of dnf 5. */
const ADVISORY =
  /^(\S+)\s+(?:security\s+)?(?:(?:Critical|Important|Moderate|Low|None|Unknown)\/Sec\.|Critical|Important|Moderate|Low)\s+(\S+)/;

/** Packages of `dnf updateinfo list --security`; one package may stand in several advisories. */
export function parseDnfAdvisories(output: string): readonly string[] {
  const packages = new Set<string>();
  for (const line of output.split('\n')) {
    const match = ADVISORY.exec(line.trim());
    if (match !== null) packages.add(packageName(match[2]!));
  }
  return [...packages];
}

/** Packages of `dnf check-update`: `name.arch  version  repository`, up to the list of obsoleted ones. */
export function parseDnfUpdates(output: string): readonly string[] {
  const packages = new Set<string>();
  for (const line of output.split('\n')) {
    if (/^Obsoleting packages/i.test(line)) break;
    const match = /^([A-Za-z0-9][\w.+-]*)\.(?:x86_64|aarch64|noarch|i686|ppc64le|s390x)\s+\S+\s+\S+\s*$/.exec(line);
    if (match !== null) packages.add(match[1]!);
  }
  return [...packages];
}

export function pendingOf(advisories: readonly string[], updates: readonly string[]): PendingUpdates {
  const names = [...new Set([...advisories, ...updates])];
  return { security: advisories.length, total: names.length, names };
}

/** `openssl-libs-1:3.0.7-27.el9.x86_64` to `openssl-libs`. */
function packageName(nevra: string): string {
  return nevra.replace(/-(?:\d+:)?[^-]+-[^-]+$/, '');
}
