import { proveQuickly } from './lib/quick.ts';

proveQuickly('T6');
