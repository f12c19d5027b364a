import type { Collector } from '../types.ts';
import { collectScreenlock } from './collect.ts';
import { evaluateScreenlock } from './evaluate.ts';

/** The lock of the screens of people logged in at a desktop. */
export const screenlock: Collector = {
  name: 'screenlock',
  platforms: ['linux'],
  collect: collectScreenlock,
  evaluate: evaluateScreenlock,
};
