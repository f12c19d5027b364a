import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetrics } from '../../appliance/lib/metrics.ts';
import { ENTRIES, startProgram } from '../lib/programs.ts';
import { initRelay } from '../lib/relay-setup.ts';
import { code, page, table } from './markdown.ts';

/** Reads names, types and texts out of Prometheus text; what the runtime itself reports is left to its own docs. */
function section(title: string, text: string): string {
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map((match) => [match[1], match[2]]));
  const rows = [...text.matchAll(/^# HELP (\S+) (.*)$/gm)]
    .map((match) => [match[1] as string, match[2] as string] as const)
    .filter(([name]) => !/^(nodejs|process)_/.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, help]) => [code(name), types.get(name) ?? '', help]);
  return `## ${title}\n\n${table(['metric', 'type', 'meaning'], rows)}`;
}

/** The relay's features register their own metrics, so a running one is asked. */
async function relayText(): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sitewarden-reference-'));
  const config = join(dataDir, 'relay.yaml');
  writeFileSync(config, JSON.stringify({ listen: { port: 0 }, dataDir: join(dataDir, 'data'), logLevel: 'error' }));
  try {
    await initRelay(config);
    const relay = await startProgram({
      name: 'relay',
      entry: ENTRIES.relay,
      args: ['serve', '--config', config, '--ready-json'],
    });
    try {
      return await (await fetch(`${relay.ready.url}/metrics`)).text();
    } finally {
      await relay.stop();
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

export const metricsPage = async (): Promise<string> =>
  page(
    'Metrics',
    'Prometheus text at `/metrics`: of the relay to loopback or with the metrics token, of the appliance on its local page.',
    section('Appliance', await createMetrics().registry.metrics()),
    section('Relay', await relayText()),
  );
