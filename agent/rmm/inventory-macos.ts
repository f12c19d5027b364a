import { posix } from 'node:path';
import { runTool } from '@sitewarden/kit/exec';
import { findPaths } from './find-paths.ts';
import type { Inventory } from './match.ts';

const TIMEOUT_MS = 10_000;

export async function takeMacInventory(signal?: AbortSignal): Promise<Inventory> {
  const options = { timeoutMs: TIMEOUT_MS, maxBytes: 4 * 1024 * 1024, ...(signal === undefined ? {} : { signal }) };
  const [listed, paths] = await Promise.all([runTool(['/bin/ps', '-axo', 'comm='], options), findPaths('darwin')]);
  return {
    platform: 'darwin',
    isWhole: listed.ok,
    services: [],
    processes: listed.ok ? parsePs(listed.stdout) : [],
    programs: [],
    paths,
  };
}

/** On macOS comm is the whole path of the program. */
export function parsePs(text: string): { name: string; path: string }[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((path) => path !== '')
    .map((path) => ({ name: posix.basename(path), path }));
}
