import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { formatIssues, loadConfig } from '@sitewarden/kit/config';
import { agentErrors } from '../errors.ts';
import { defaultConfigPath, defaultDataDir } from './places.ts';
import { AGENT_CONFIG_SCHEMA, type AgentFileConfig } from './schema.ts';

export interface LoadedConfig {
  readonly config: AgentFileConfig & { readonly dataDir: string };
  /** undefined when there is no file at the default place: every default applies. */
  readonly path: string | undefined;
}

/** Reads `path`, or the default place when it is undefined. Throws CONFIG_UNREADABLE or CONFIG_INVALID (every issue). */
export async function loadAgentConfig(path: string | undefined): Promise<LoadedConfig> {
  const file = path === undefined ? defaultConfigPath() : resolve(path);
  const text = await readText(file, path === undefined);
  const result = loadConfig(AGENT_CONFIG_SCHEMA, text ?? '', file);
  if (!result.ok) throw agentErrors.make('CONFIG_INVALID', { detail: formatIssues(result.issues, file) });
  const config = result.value as AgentFileConfig;
  const dataDir = resolve(config.dataDir ?? defaultDataDir());
  return { config: { ...config, dataDir }, path: text === undefined ? undefined : file };
}

async function readText(file: string, isOptional: boolean): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (isOptional && code === 'ENOENT') return undefined;
    throw agentErrors.make('CONFIG_UNREADABLE', { detail: `${file}: ${code ?? 'cannot be read'}`, cause });
  }
}
