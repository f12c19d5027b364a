import { createMetrics as createApplianceMetrics } from '../../appliance/lib/metrics.ts';
import { createMetrics as createRelayMetrics } from '../../relay/lib/metrics.ts';
import { code, page, table } from './markdown.ts';

interface Described {
  name: string;
  help: string;
  type: unknown;
}

async function section(title: string, registry: { getMetricsAsJSON(): Promise<unknown[]> }): Promise<string> {
  const metrics = (await registry.getMetricsAsJSON()) as Described[];
  const own = metrics.filter(({ name }) => name.startsWith('sitewarden_')).sort((a, b) => (a.name < b.name ? -1 : 1));
  return `## ${title}\n\n${table(
    ['metric', 'type', 'meaning'],
    own.map(({ name, help, type }) => [code(name), String(type), help]),
  )}`;
}

export const metricsPage = async (): Promise<string> =>
  page(
    'Metrics',
    'Prometheus text at `/metrics`: of the relay to loopback or with the metrics token, of the appliance on its local page.',
    await section('Appliance', createApplianceMetrics().registry),
    await section('Relay', createRelayMetrics().registry),
  );
