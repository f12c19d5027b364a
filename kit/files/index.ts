export { closeToOthers, listOpenToOthers, type OpenFile } from './close-to-others.ts';
export { createPrivately } from './create-privately.ts';
export { type HighWaterMark, openHighWaterMark } from './high-water.ts';
export { acquireLock, type FileLock, isLocked } from './lock.ts';
export { isProcessAlive } from './process-alive.ts';
export { ensureDir, readFileIfExists } from './read-files.ts';
export { syncFolder, writeFileAtomic } from './write-atomic.ts';
