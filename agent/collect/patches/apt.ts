export interface PendingUpdates {
  readonly security: number;
  readonly total: number;
  /** Package names, security first. */
  readonly names: readonly string[];
}

const INST = /^Inst (\S+) (?:\[[^\]]*\] )?\(([^)]*)\)/;
/** `Debian-Security:12/oldstable-security`, `Ubuntu:22.04/jammy-security`, `UbuntuESM:22.04/jammy-infra-security`. */
const SECURITY_ORIGIN = /(?:^|[\s,])(?:[^\s,/]*-Security:|[^\s,]*\/[\w.-]*-security(?:[\s,]|$))/;

/** Reads `apt-get -s dist-upgrade`: one `Inst` line for each package that would be installed. */
export function parseAptSimulation(output: string): PendingUpdates {
  const security: string[] = [];
  const other: string[] = [];
  for (const line of output.split('\n')) {
    const match = INST.exec(line);
    if (match === null) continue;
    (SECURITY_ORIGIN.test(match[2]!) ? security : other).push(match[1]!);
  }
  return { security: security.length, total: security.length + other.length, names: [...security, ...other] };
}

/** True for the release file of an archive that carries security updates, by its name under /var/lib/apt/lists. */
export function isSecurityRelease(fileName: string): boolean {
  return /(?:-security_|_debian-security_).*Release$/.test(fileName);
}
