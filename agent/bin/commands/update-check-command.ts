import { loadAgentConfig } from '../../config/index.ts';
import { CHECK_WORDS, selfCheck } from '../../update/index.ts';
import { print } from './output.ts';

export async function updateCheckCommand(configPath: string | undefined): Promise<void> {
  const { config } = await loadAgentConfig(configPath);
  await selfCheck({ dataDir: config.dataDir, applianceAddress: config.applianceAddress });
  print(CHECK_WORDS);
}
