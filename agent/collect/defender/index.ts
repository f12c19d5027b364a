import type { Collector } from '../types.ts';
import { collectDefender } from './collect.ts';
import { evaluateDefender } from './evaluate.ts';

/** An active anti-malware engine: ClamAV or a commercial one, by processes that only root can have put there. */
export const defender: Collector = {
  name: 'defender',
  platforms: ['linux'],
  collect: collectDefender,
  evaluate: evaluateDefender,
};
