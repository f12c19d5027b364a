import type { Collector } from '../types.ts';
import { collectDefender } from './collect.ts';
import { evaluateDefender } from './evaluate.ts';

/** An active anti-malware engine: ClamAV or a commercial one, by its processes. */
export const defender: Collector = {
  name: 'defender',
  platforms: ['linux'],
  collect: collectDefender,
  evaluate: evaluateDefender,
};
