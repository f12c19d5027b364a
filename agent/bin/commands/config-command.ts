import { describeConfig } from '@sitewarden/kit/config';
import { AGENT_CONFIG_SCHEMA, defaultConfigPath, loadAgentConfig } from '../../config/index.ts';
import { print } from './output.ts';

export async function configCheckCommand(configPath: string | undefined): Promise<void> {
  const { path } = await loadAgentConfig(configPath);
  print(path === undefined ? `No ${defaultConfigPath()}: every default applies.` : `${path} is fine.`);
}

export function configKeysCommand(): void {
  for (const { key, type, default: byDefault, text } of describeConfig(AGENT_CONFIG_SCHEMA)) {
    print(`${key} (${type}${byDefault === '' ? '' : `, default ${byDefault}`})\n    ${text}`);
  }
}
