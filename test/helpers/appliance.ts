import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateEd25519 } from '@sitewarden/agent-proto/keys';
import { ENTRIES, type Running, runProgram, startProgram } from '../../scripts/lib/programs.ts';

export interface ApplianceOptions {
  dataDir: string;
  /** Default: a relay that is not there, so the box stays unclaimed. */
  relay?: { url: string; rootKey: string; caFile?: string };
  services?: { pidfileDir: string };
  checkinIntervalMs?: number;
  /** Default: as the program has it. */
  wake?: boolean;
  /** The box makes its serial number of its device key. */
  withoutSerial?: boolean;
  logLevel?: string;
  nodeArgs?: readonly string[];
  env?: NodeJS.ProcessEnv;
  onLine?: (line: string) => void;
  /** Reports one agent may send in a second; tests hurry more than agents do, and benchmarks more than tests. Default 2000. */
  reportsPerS?: number;
  /** As `startProgram` takes it. */
  wrapper?: readonly string[];
  intakePort?: number;
  /** Default: any. */
  localPort?: number;
  /** Address of the page. Default 127.0.0.1. */
  localHost?: string;
  installers?: { dir: string; publicKey?: string };
}

export interface TestAppliance extends Running {
  readonly intakeAddress: string;
  readonly localUrl: string;
  readonly configFile: string;
  /** Writes an enrolment token file and answers its path. */
  makeToken(): Promise<string>;
}

const sides: string[] = [];

function removeSides(): void {
  for (const side of sides) rmSync(side, { recursive: true, force: true });
}

/** The real program on ephemeral loopback ports. Its configuration lies beside the data, outside a test's own disk. */
export async function startAppliance(options: ApplianceOptions): Promise<TestAppliance> {
  const side = mkdtempSync(join(tmpdir(), 'sitewarden-appliance-'));
  if (sides.push(side) === 1) process.once('exit', removeSides);
  const configFile = join(side, 'appliance.yaml');
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(
    configFile,
    JSON.stringify({
      relay: options.relay ?? { url: 'http://127.0.0.1:9', rootKey: generateEd25519().publicKey },
      dataDir: options.dataDir,
      intake: {
        host: '127.0.0.1',
        port: options.intakePort ?? 0,
        reportsPerS: options.reportsPerS ?? 2000,
        burst: (options.reportsPerS ?? 2000) * 2,
      },
      local: { host: options.localHost ?? '127.0.0.1', port: options.localPort ?? 0 },
      ...(options.installers === undefined ? {} : { installers: options.installers }),
      ...(options.withoutSerial ? {} : { serial: 'TEST-0001' }),
      model: 'test',
      logLevel: options.logLevel ?? 'info',
      discovery: { enabled: false },
      checkin: {
        ...(options.checkinIntervalMs === undefined ? {} : { intervalMs: options.checkinIntervalMs }),
        ...(options.wake === undefined ? {} : { wake: options.wake }),
      },
      ...(options.services === undefined ? {} : { services: options.services }),
    }),
  );
  const program = await startProgram({
    name: 'appliance',
    entry: ENTRIES.appliance,
    args: ['run', '--config', configFile, '--ready-json'],
    ...(options.nodeArgs ? { nodeArgs: options.nodeArgs } : {}),
    ...(options.wrapper ? { wrapper: options.wrapper } : {}),
    ...(options.env ? { env: options.env } : {}),
    ...(options.onLine ? { onLine: options.onLine } : {}),
  });
  let tokens = 0;
  return Object.assign(program, {
    intakeAddress: String(program.ready.intakeAddress),
    localUrl: String(program.ready.localUrl),
    configFile,
    makeToken: async () => {
      tokens += 1;
      const path = join(side, `token-${tokens}.json`);
      await runProgram('appliance', ['agents', 'token', '--config', configFile, '--out', path]);
      return path;
    },
  });
}
