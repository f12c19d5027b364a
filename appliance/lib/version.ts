import { readFileSync, statSync } from 'node:fs';
import { release, type } from 'node:os';

const MANIFEST = new URL('../package.json', import.meta.url);

/** Of this program. */
export function applianceVersion(): string {
  return (JSON.parse(readFileSync(MANIFEST, 'utf8')) as { version: string }).version;
}

/**
 * No clock of a box that runs this program can truly be earlier. Reproducible images and package managers set file times
 * to 1970 or later; one before 2026 says nothing.
 */
export function builtAtMs(): number {
  const FIRST_RELEASE_MS = Date.UTC(2026, 0, 1);
  return Math.max(FIRST_RELEASE_MS, Math.floor(statSync(MANIFEST).mtimeMs));
}

export function osVersion(): string {
  const pretty = /^PRETTY_NAME="?([^"\n]{1,120})"?$/m.exec(readOsRelease())?.[1];
  return (pretty ?? `${type()} ${release()}`).slice(0, 128);
}

function readOsRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}
