import { runTool } from '@sitewarden/kit/exec';
import { listProcesses } from '../collect/index.ts';
import { findPaths } from './find-paths.ts';
import type { Inventory } from './match.ts';

const TIMEOUT_MS = 10_000;
const DPKG_FORMAT = ['db:Status-Abbrev', 'Package', 'Version']
  .map((field) => `\${${field}}`)
  .join('\t')
  .concat('\n');
const MAX_BYTES = 4 * 1024 * 1024;

export async function takeLinuxInventory(signal?: AbortSignal): Promise<Inventory> {
  const [processes, paths, programs] = await Promise.all([
    listProcesses().catch(() => undefined),
    findPaths('linux'),
    listPackages(signal),
  ]);
  return {
    platform: 'linux',
    isWhole: processes !== undefined,
    services: [],
    processes: (processes ?? []).map(({ comm, program }) => ({ name: comm, path: program })),
    programs,
    paths,
  };
}

async function listPackages(signal?: AbortSignal): Promise<Inventory['programs']> {
  const options = { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES, ...(signal === undefined ? {} : { signal }) };
  const dpkg = await runTool(['dpkg-query', '-W', '-f', DPKG_FORMAT], options);
  if (dpkg.ok) return parsePackages(dpkg.stdout);
  const rpm = await runTool(['rpm', '-qa', '--qf', 'ii\t%{NAME}\t%{VERSION}\n'], options);
  return rpm.ok ? parsePackages(rpm.stdout) : [];
}

/** `ii \tname\tversion`: only what is installed, not what left its settings behind. */
export function parsePackages(text: string): { name: string; version: string }[] {
  return text.split('\n').flatMap((line) => {
    const [state, name, version] = line.split('\t');
    return state?.startsWith('ii') && name && version ? [{ name, version }] : [];
  });
}
