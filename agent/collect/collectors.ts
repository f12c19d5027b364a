import { bitlocker } from './bitlocker/index.ts';
import { defender } from './defender/index.ts';
import { firewall } from './firewall/index.ts';
import { patches } from './patches/index.ts';
import { screenlock } from './screenlock/index.ts';
import { services } from './services/index.ts';
import type { Collector } from './types.ts';

/** Every check of the catalogue, once. */
export const COLLECTORS: readonly Collector[] = [bitlocker, defender, firewall, patches, screenlock, services];
