import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDir } from '@sitewarden/kit/files';
import { detectServiceManager, type ServiceManager } from '@sitewarden/kit/services';

export interface DemoService {
  readonly name: string;
  readonly folder: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A daemon this script may stop and start without touching what the host runs: declared for the agent's service manager.
 * Each run has its own name, so that its incident is not taken for that of an earlier one.
 */
export async function makeDemoService(dataDir: string, run: number): Promise<DemoService> {
  const folder = join(dataDir, 'services.d');
  const name = `sitewarden-demo-${run}`;
  await stopEarlier(folder);
  rmSync(folder, { recursive: true, force: true });
  await ensureDir(folder, 0o700);
  writeFileSync(
    join(folder, `${name}.json`),
    JSON.stringify({
      command: [process.execPath, join(import.meta.dirname, 'demo-daemon.ts')],
      pidFile: join(dataDir, `${name}.pid`),
    }),
  );
  const manager: ServiceManager = await detectServiceManager({ pidfileDir: folder });
  return { name, folder, start: () => manager.start(name), stop: () => manager.stop(name) };
}

/** What an earlier run declared may still run, and once its declaration is gone nobody could stop it. */
async function stopEarlier(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  const manager = await detectServiceManager({ pidfileDir: folder });
  for (const file of readdirSync(folder))
    if (file.endsWith('.json')) await manager.stop(file.slice(0, -'.json'.length));
}
