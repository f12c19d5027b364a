export { openConnection, useBundledAddon } from './connection.ts';
export { unpackAddon } from './unpack.ts';
