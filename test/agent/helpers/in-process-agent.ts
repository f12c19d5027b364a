import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, type Logger } from '@sitewarden/kit/log';
import type { LoadedConfig } from '../../../agent/config/index.ts';
import { enrollAgent, runDaemon } from '../../../agent/run/index.ts';
import type { TestAppliance } from './test-appliance.ts';

type Config = LoadedConfig['config'];

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [key: string]: unknown;
}

export interface AgentUnderTest {
  readonly config: Config;
  readonly logs: LogLine[];
  readonly log: Logger;
  /** Runs until `stop`. */
  start(): RunningDaemon;
  remove(): void;
}

export interface RunningDaemon {
  readonly end: ReturnType<typeof runDaemon>;
  stop(): ReturnType<typeof runDaemon>;
}

/** An enrolled agent inside this process; its data folder is its own. */
export async function makeAgent(site: TestAppliance, fields: Partial<Config> = {}): Promise<AgentUnderTest> {
  const dataDir = fields.dataDir ?? mkdtempSync(join(tmpdir(), 'sitewarden-agent-'));
  const logs: LogLine[] = [];
  const destination = { write: (line: string) => void logs.push(JSON.parse(line)) };
  const log = createLogger({ name: 'agent', level: 'debug', destination });
  const config: Config = {
    logLevel: 'debug',
    serviceManager: { pidfileDir: join(dataDir, 'services') },
    queue: { maxRows: 10_000, maxAgeDays: 30 },
    updates: { allowed: true, connectWithinMs: 300_000 },
    overrides: {},
    ...fields,
    dataDir,
  };
  await enrollAgent({ config, tokenFile: site.tokenFile(), log });
  return {
    config,
    logs,
    log,
    start() {
      const stop = new AbortController();
      const end = runDaemon({ config, log, signal: stop.signal });
      // The test looks at `end`; until then a failure must not end the process.
      end.catch(() => {});
      return {
        end,
        stop() {
          stop.abort();
          return end;
        },
      };
    },
    remove: () => rmSync(dataDir, { recursive: true, force: true }),
  };
}
