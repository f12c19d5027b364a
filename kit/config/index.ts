export { type ConfigRow, describeConfig } from './describe.ts';
export { formatIssues, loadConfig } from './load.ts';
export { MAX_CONFIG_BYTES } from './read-yaml.ts';
export type { ConfigIssue, ConfigResult, StaticOf } from './types.ts';
