import type { Collector } from '../types.ts';
import { collectPatches } from './collect.ts';
import { evaluatePatches } from './evaluate.ts';

/** Pending security updates by the machine's own package manager: apt or dnf. */
export const patches: Collector = {
  name: 'patches',
  platforms: ['linux'],
  collect: collectPatches,
  evaluate: evaluatePatches,
};
