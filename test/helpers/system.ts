import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detectServiceManager, type ServiceManager } from '@sitewarden/kit/services';
import { ENTRIES, type Running, runProgram, startProgram } from '../../scripts/lib/programs.ts';
import { initRelay, makeSignInLink } from '../../scripts/lib/relay-setup.ts';
import { type StaffClient, signIn } from '../../scripts/lib/staff-client.ts';
import { claimBox } from '../../scripts/start/site.ts';
import { startAppliance, type TestAppliance } from './appliance.ts';
import { type Exchange, type HttpProxy, startHttpProxy } from './http-proxy.ts';

/** A relay, one claimed appliance and, if asked, an enrolled agent: real programs, the box reaching its relay through a proxy. */
export interface System {
  readonly base: string;
  readonly proxy: HttpProxy;
  readonly staff: StaffClient;
  readonly siteId: string;
  relay: Running;
  appliance: TestAppliance;
  agent: Running | undefined;
  startRelay(): Promise<void>;
  /** `wake`: not taken from the options the system was made with. */
  startAppliance(as?: { wake?: boolean }): Promise<void>;
  startAgent(): Promise<void>;
  close(): Promise<void>;
}

export interface SystemOptions {
  requiredServices?: string[];
  agentTier?: 0 | 1 | 2;
  /** Folder of declared services for agent and box. */
  pidfileDir?: string;
  checkIntervalMs?: number;
  checkinIntervalMs?: number;
  /** The box makes its serial number of its device key. */
  withoutSerial?: boolean;
  /** Of all three programs; default: that of each. */
  logLevel?: string;
  /** Told every line that any of the three prints. */
  onLine?: (line: string) => void;
  /** Whether the relay can wake the box; without it every order waits for a check-in. Default false. */
  wake?: boolean;
  /** Of the box. */
  installers?: { dir: string; publicKey?: string };
  /** Told every exchange with the relay. */
  onExchange?: (exchange: Exchange) => void;
}

export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const base = mkdtempSync(join(tmpdir(), 'sitewarden-system-'));
  const proxy = await startHttpProxy();
  proxy.passUpgrades(options.wake === true);
  if (options.onExchange) proxy.observe = options.onExchange;
  const said = options.onLine ? { onLine: options.onLine } : {};
  const logLevel = options.logLevel ? { logLevel: options.logLevel } : {};
  const relayConfig = join(base, 'relay.yaml');
  writeFileSync(
    relayConfig,
    JSON.stringify({
      publicUrl: proxy.url,
      listen: { host: '127.0.0.1', port: 0 },
      dataDir: join(base, 'relay'),
      ...logLevel,
      limits: { requestsPerMinute: 1_000_000, claimsPerMinute: 1_000_000, signInsPerMinute: 1000 },
    }),
  );
  const rootKey = await initRelay(relayConfig);
  const system = { base, proxy, agent: undefined } as unknown as System & Record<string, unknown>;

  system.startRelay = async () => {
    system.relay = await startProgram({
      name: 'relay',
      entry: ENTRIES.relay,
      args: ['serve', '--config', relayConfig, '--ready-json'],
      ...said,
    });
    proxy.setTarget(Number(new URL(String(system.relay.ready.url)).port));
  };
  system.startAppliance = async ({ wake = options.wake } = {}) => {
    system.appliance = await startAppliance({
      ...(wake === undefined ? {} : { wake }),
      dataDir: join(base, 'appliance'),
      relay: { url: proxy.url, rootKey },
      checkinIntervalMs: options.checkinIntervalMs ?? 1000,
      ...(options.installers ? { installers: options.installers } : {}),
      ...(options.withoutSerial ? { withoutSerial: true } : {}),
      ...logLevel,
      ...said,
      ...(options.pidfileDir ? { services: { pidfileDir: options.pidfileDir } } : {}),
      ...(system.appliance ? { intakePort: Number(system.appliance.intakeAddress.split(':').at(-1)) } : {}),
    });
  };
  system.startAgent = async () => {
    const config = join(base, 'agent.yaml');
    const tokenFile = join(base, 'agent-token.json');
    if (!existsSync(tokenFile) && !existsSync(join(base, 'agent', 'identity', 'identity.json'))) {
      await runProgram('appliance', ['agents', 'token', '--config', system.appliance.configFile, '--out', tokenFile]);
    }
    writeFileSync(
      config,
      JSON.stringify({
        applianceAddress: system.appliance.intakeAddress,
        dataDir: join(base, 'agent'),
        tokenFile,
        ...logLevel,
        ...(options.pidfileDir ? { serviceManager: { pidfileDir: options.pidfileDir } } : {}),
      }),
    );
    system.agent = await startProgram({
      name: 'agent',
      entry: ENTRIES.agent,
      args: ['run', '--config', config, '--ready-json'],
      ...said,
    });
  };
  system.close = async () => {
    await system.agent?.stop();
    await system.appliance?.stop();
    await system.relay?.stop();
    await proxy.close();
    rmSync(base, { recursive: true, force: true });
  };

  try {
    await system.startRelay();
    const staff = await signIn(proxy.url, await makeSignInLink(relayConfig));
    const client = await staff.call<{ id: string }>('POST', '/api/clients', { name: 'Clinic' });
    const site = await staff.call<{ id: string }>('POST', '/api/sites', {
      clientId: client.id,
      name: 'Main street',
      agentTier: options.agentTier ?? 1,
      requiredServices: options.requiredServices ?? [],
      checkIntervalMs: options.checkIntervalMs ?? 2000,
    });
    Object.assign(system, { staff, siteId: site.id });
    await system.startAppliance();
    await claimBox(staff, site.id, system.appliance.localUrl);
  } catch (error) {
    await system.close();
    throw error;
  }
  return system;
}

const DEMO_DAEMON = join(import.meta.dirname, '..', '..', 'scripts', 'start', 'demo-daemon.ts');

/** A small real daemon under the declared-services manager, for hosts whose services a test must not touch. */
export async function declareDaemon(folder: string, name: string, argv = [DEMO_DAEMON]): Promise<ServiceManager> {
  writeFileSync(
    join(folder, `${name}.json`),
    JSON.stringify({ command: [process.execPath, ...argv], pidFile: join(folder, `${name}.pid`) }),
  );
  return detectServiceManager({ pidfileDir: folder });
}
