import { readFileSync } from 'node:fs';
import { hostname, release } from 'node:os';
import type { HostInfo } from '@sitewarden/agent-proto/agent';

const FAMILIES: Readonly<Record<string, string>> = { linux: 'linux', win32: 'windows', darwin: 'macos' };

export function readHostInfo(agentVersion: string): HostInfo {
  return {
    hostname: hostname().slice(0, 255),
    osFamily: FAMILIES[process.platform] ?? process.platform,
    osVersion: osVersion().slice(0, 255),
    agentVersion,
  };
}

/** PRETTY_NAME of os-release(5) and the kernel's release elsewhere. */
function osVersion(): string {
  for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
    try {
      const name = parseOsRelease(readFileSync(path, 'utf8'));
      if (name !== undefined) return name;
    } catch {
      // Not there: the next place, then the kernel's release.
    }
  }
  return release();
}

/** `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"`: quotes are optional. */
export function parseOsRelease(text: string): string | undefined {
  const value = /^PRETTY_NAME=(.*)$/m.exec(text)?.[1]?.trim();
  const bare = value?.replace(/^(["'])(.*)\1$/, '$2').replace(/\\(["'$`\\])/g, '$1');
  return bare === '' ? undefined : bare;
}
