import { join } from 'node:path';
import { acquireLock, ensureDir } from '@sitewarden/kit/files';
import { createLogger } from '@sitewarden/kit/log';
import { loadAgentConfig } from '../../config/index.ts';
import { enrollAgent, LOCK_FILE } from '../../run/index.ts';
import { print } from './output.ts';

export interface EnrollFlags {
  readonly tokenFile: string;
  readonly appliance?: string;
  readonly replace?: boolean;
}

export async function enrollCommand(configPath: string | undefined, flags: EnrollFlags): Promise<void> {
  const { config } = await loadAgentConfig(configPath);
  await ensureDir(config.dataDir, 0o700);
  const lock = acquireLock(join(config.dataDir, LOCK_FILE));
  try {
    const log = createLogger({ name: 'sitewarden-agent', level: 'warn' });
    const identity = await enrollAgent({ config, log, ...flags });
    print(`Enrolled as ${identity.agentId} at ${identity.applianceAddress}.`);
    print(`The certificate is good until ${new Date(identity.notAfterMs).toISOString()} and is renewed before.`);
    print('Next: start the agent with `sitewarden-agent run`, or through the service manager.');
  } finally {
    lock.release();
  }
}
