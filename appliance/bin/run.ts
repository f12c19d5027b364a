import { createLogger } from '@sitewarden/kit/log';
import { startMemoryTrim } from '@sitewarden/kit/memory';
import closeWithGrace from 'close-with-grace';
import { readConfigFile } from '../config/index.ts';
import { startAppliance } from '../daemon.ts';

/** Longer than every part together may take to stop. */
const STOP_WITHIN_MS = 30_000;

export async function runDaemon({
  config: file,
  readyJson = false,
}: {
  config: string;
  readyJson?: boolean;
}): Promise<void> {
  const config = await readConfigFile(file);
  const log = createLogger({ name: 'appliance', level: config.logLevel });
  const appliance = await startAppliance(config, { log });
  closeWithGrace({ delay: STOP_WITHIN_MS, logger: false }, async ({ signal, err }) => {
    if (err !== undefined) log.fatal({ err }, 'the appliance failed');
    else log.info({ signal }, 'stopping');
    await appliance.close();
  });
  startMemoryTrim();
  log.info(appliance.addresses, 'the appliance is up');
  if (readyJson) console.log(JSON.stringify({ ready: true, pid: process.pid, ...appliance.addresses }));
}
