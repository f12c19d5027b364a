/** Run inside a network namespace: discovers until it is killed and writes every look's devices as a line of JSON. */
import { mkdirSync } from 'node:fs';
import { createLogger } from '@sitewarden/kit/log';
import { systemClock } from '@sitewarden/kit/time';
import { parseConfig } from '../../appliance/config/index.ts';
import { createDiscovery } from '../../appliance/discovery/index.ts';
import { createMetrics } from '../../appliance/lib/metrics.ts';
import { createSignals } from '../../appliance/lib/signals.ts';
import { devices, openStore } from '../../appliance/store/index.ts';

const dataDir = process.argv[2] as string;
mkdirSync(dataDir, { recursive: true });
const config = parseConfig(
  `relay: { url: 'http://127.0.0.1:9', rootKey: ${'A'.repeat(43)} }\ndataDir: ${JSON.stringify(dataDir)}\n`,
  'watch.yaml',
);
if (!config.ok) throw new Error(JSON.stringify(config.issues));
const { db } = openStore(dataDir);
const signals = createSignals((error) => {
  throw error;
});
const log = createLogger({ name: 'watch', level: 'silent' });
const discovery = createDiscovery({
  db,
  signals,
  log,
  clock: systemClock,
  config: config.value,
  metrics: createMetrics(),
});
const tell = () => process.stdout.write(`${JSON.stringify(devices.list(db))}\n`);
signals.on('change', tell);
discovery.start();
setInterval(() => void discovery.settle(), 500);
