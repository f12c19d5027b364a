import { loadAgentConfig } from '../../config/index.ts';
import { stopAgent } from '../../run/index.ts';
import { print } from './output.ts';

export async function stopCommand(configPath: string | undefined): Promise<void> {
  const { config } = await loadAgentConfig(configPath);
  print((await stopAgent(config.dataDir)) ? 'Stopped.' : 'It does not run.');
}
