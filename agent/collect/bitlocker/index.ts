import type { Collector } from '../types.ts';
import { collectBitlocker } from './collect.ts';
import { evaluateBitlocker } from './evaluate.ts';

/** Disk encryption; on Linux LUKS or any other dm-crypt layer under the mounted volumes and swap. */
export const bitlocker: Collector = {
  name: 'bitlocker',
  platforms: ['linux'],
  collect: collectBitlocker,
  evaluate: evaluateBitlocker,
};
