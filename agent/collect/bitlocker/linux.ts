import { readFile } from 'node:fs/promises';
import { askTool } from '../ask-tool.ts';
import { toolProblem } from '../tool-problem.ts';
import type { CollectContext, Observation } from '../types.ts';
import { assessDisks } from './assess.ts';
import { LSBLK_COLUMNS, parseLsblk } from './block-devices.ts';
import { parseMounts, parseSwaps } from './mounts.ts';

/** Needs no privilege: device-mapper types stand in sysfs, readable by all. */
export async function collectBitlocker({ signal }: CollectContext): Promise<Observation[]> {
  const mounts = parseMounts(await readFile('/proc/self/mountinfo', 'utf8'));
  // A kernel without swap support has no such file.
  const swaps = parseSwaps(await readFile('/proc/swaps', 'utf8').catch(() => ''));
  const listed = await askTool(['lsblk', '--json', '--output', LSBLK_COLUMNS], { signal });
  const devices = listed.ok ? parseLsblk(listed.stdout) : undefined;
  if (devices === undefined) {
    return [
      { subject: '', facts: { volumes: mounts.length, probe_error: toolProblem('lsblk', 'util-linux', listed) } },
    ];
  }
  return [{ subject: '', facts: assessDisks({ mounts, swaps, devices }) }];
}
