import type { Installer } from './installers.ts';

/** In the order of the page. */
export const TARGETS = {
  'win-x64': 'Windows 10, 11 and Server, 64-bit',
  'linux-x64': 'Linux, x86-64',
  'linux-arm64': 'Linux, ARM64',
} as const;
export type TargetName = keyof typeof TARGETS;

export const isTargetName = (name: string): name is TargetName => Object.hasOwn(TARGETS, name);

export interface Command {
  readonly installer: Installer;
  /** `http://host:port` of the box's page as the workstation reaches it. */
  readonly baseUrl: string;
  /** JSON of a token file; undefined: the command asks for it. */
  readonly token?: string | undefined;
}

/**
 * One line that fetches, compares the SHA-256 and installs. The token goes through a pipe made by the shell itself, so no
 * list of processes ever shows it. Pure; throws TypeError for a token or an address that a shell would read otherwise.
 */
export function installCommand({ installer, baseUrl, token }: Command): string {
  assertPlain(baseUrl, /^https?:\/\/[A-Za-z0-9.:[\]-]+$/);
  if (token !== undefined) assertPlain(token, /^[{}":,A-Za-z0-9._[\]-]+$/);
  const { file, sha256, target } = installer;
  const url = `${baseUrl}/install/${file}`;
  return target.startsWith('win-') ? powershell({ file, sha256, url, token }) : shell({ file, sha256, url, token });
}

interface Parts {
  readonly file: string;
  readonly sha256: string;
  readonly url: string;
  readonly token: string | undefined;
}

function shell({ file, sha256, url, token }: Parts): string {
  const install = `sudo ./${file} install --token-file`;
  return [
    'cd "$(mktemp -d)"',
    `curl -fsSO '${url}'`,
    `echo '${sha256}  ${file}' | sha256sum -c -`,
    `chmod 755 ${file}`,
    token === undefined ? `${install} ~/token.json` : `printf %s '${token}' | ${install} -`,
  ].join(' && ');
}

/** For an administrator's PowerShell 5.1 and later. */
function powershell({ file, sha256, url, token }: Parts): string {
  const program = `$f = Join-Path $env:TEMP '${file}'`;
  const fetch = `Invoke-WebRequest -UseBasicParsing '${url}' -OutFile $f`;
  const compare = `if ((Get-FileHash $f -Algorithm SHA256).Hash -ne '${sha256}') { throw 'The SHA-256 differs' }`;
  const install =
    token === undefined ? '& $f install --token-file token.json' : `'${token}' | & $f install --token-file -`;
  return ["$ErrorActionPreference = 'Stop'", program, fetch, compare, install].join('; ');
}

function assertPlain(text: string, form: RegExp): void {
  if (!form.test(text)) throw new TypeError('a character that a shell would not leave alone');
}
