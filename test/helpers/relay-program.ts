import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENTRIES, type Running, startProgram } from '../../scripts/lib/programs.ts';
import { initRelay } from '../../scripts/lib/relay-setup.ts';
import type { StaffClient } from '../../scripts/lib/staff-client.ts';

export interface RelayProgram {
  readonly config: string;
  readonly rootKey: string;
  readonly relay: Running;
}

/** The real relay with keys of its own, its files in `dir`. */
export async function startRelayProgram(options: {
  dir: string;
  publicUrl: string;
  /** Default: any free one. */
  port?: number;
  trustProxy?: readonly string[];
  limits?: Readonly<Record<string, number>>;
  env?: NodeJS.ProcessEnv;
}): Promise<RelayProgram> {
  const { dir, publicUrl, port = 0, trustProxy, limits, env = {} } = options;
  const config = join(dir, 'relay.yaml');
  const listen = { host: '127.0.0.1', port };
  const settings = { publicUrl, listen, dataDir: join(dir, 'relay'), trustProxy, logLevel: 'warn', limits };
  writeFileSync(config, JSON.stringify(settings));
  const rootKey = await initRelay(config);
  const args = ['serve', '--config', config, '--ready-json'];
  return { config, rootKey, relay: await startProgram({ name: 'relay', entry: ENTRIES.relay, args, env }) };
}

export interface ApplianceAtSite {
  readonly id: string;
  readonly state: string;
  readonly lastCheckinAtMs: number | null;
}

/** The box of a site as staff see it; null when it has none. */
export async function applianceAt(staff: StaffClient, siteId: string): Promise<ApplianceAtSite | null> {
  return (await staff.call<{ appliance: ApplianceAtSite | null }>('GET', `/api/sites/${siteId}`)).appliance;
}
