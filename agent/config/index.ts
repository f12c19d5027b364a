export { type LoadedConfig, loadAgentConfig } from './load.ts';
export { defaultConfigPath, defaultDataDir, programPath } from './places.ts';
export { AGENT_CONFIG_SCHEMA, type AgentFileConfig } from './schema.ts';
