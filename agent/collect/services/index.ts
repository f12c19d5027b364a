import type { Collector } from '../types.ts';
import { collectServices } from './collect.ts';
import { evaluateServices } from './evaluate.ts';

/** Services the site requires on this workstation; one result each. */
export const services: Collector = {
  name: 'services',
  platforms: ['linux', 'darwin', 'win32'],
  subjects: (requiredServices) => (requiredServices.length === 0 ? [''] : requiredServices),
  collect: collectServices,
  windowsSections: ['services'],
  evaluate: evaluateServices,
};
