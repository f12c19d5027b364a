export { isTrimDue, startMemoryTrim, trimMemory } from './trim.ts';
