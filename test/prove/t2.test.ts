import { proveQuickly } from './lib/quick.ts';

proveQuickly('T2', { tools: ['strace'] });
