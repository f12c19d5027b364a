import { access } from 'node:fs/promises';
import { listProcesses } from '../collect/index.ts';
import { RMM_PRODUCTS } from './products.ts';

export interface RmmSighting {
  readonly product: string;
  /** Empty when not known. */
  readonly version: string;
  readonly running: boolean;
  readonly foundBy: 'process' | 'path';
}

/** Other remote management tools on this machine; empty where the agent cannot look. Never throws. */
export async function detectRmm(): Promise<RmmSighting[]> {
  if (process.platform !== 'linux') return [];
  const processes = (await listProcesses().catch(() => undefined)) ?? [];
  const running = new Set(processes.map(({ comm }) => comm));
  const sightings: RmmSighting[] = [];
  for (const { product, processes: names, paths } of RMM_PRODUCTS) {
    if (names.some((name) => running.has(name))) {
      sightings.push({ product, version: '', running: true, foundBy: 'process' });
    } else if (await anyExists(paths)) {
      sightings.push({ product, version: '', running: false, foundBy: 'path' });
    }
  }
  return sightings;
}

async function anyExists(paths: readonly string[]): Promise<boolean> {
  for (const path of paths) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return true;
  }
  return false;
}
