// The entry of the agent that is one file. A bundle of CommonJS has no await at its top, and its modules have no folder to
// find a library in.
import { getRawAsset } from 'node:sea';
import { useBundledAddon } from '@sitewarden/kit/addon';
import { outliveReaders } from '@sitewarden/kit/stdio';
import { createProgram } from './commands/program.ts';

/** As scripts/package-agent names it. */
const ADDON_ASSET = 'better-sqlite3.node';

useBundledAddon(() => new Uint8Array(getRawAsset(ADDON_ASSET) as ArrayBuffer));
outliveReaders();
void createProgram().parseAsync();
