import { POWER_CUT_TOOLS } from './lib/power-cut.ts';
import { proveQuickly } from './lib/quick.ts';

proveQuickly('T3', { root: true, tools: [...POWER_CUT_TOOLS, 'strace'] });
