import { createLogger } from '@sitewarden/kit/log';
import closeWithGrace from 'close-with-grace';
import { loadAgentConfig } from '../../config/index.ts';
import { LOCK_FILE, openLogFile, runDaemon, stopRequested } from '../../run/index.ts';
import { guardUpdate } from '../../update/index.ts';
import { EXIT_REMOVED, EXIT_REPLACED, print } from './output.ts';

/** More than the parts may take together, less than the 10 s after which service managers lose patience. */
const STOP_WITHIN_MS = 9_000;

export interface RunFlags {
  readonly readyJson?: boolean;
  readonly logFile?: string;
  /** Started by the version before: ends with its input. */
  readonly guarded?: boolean;
}

/** Until SIGINT, SIGTERM or `stop` (exit 0), the removal of this agent (exit 4), or its replacement by another version (exit 5). */
export async function runCommand(
  configPath: string | undefined,
  { readyJson = false, logFile, guarded = false }: RunFlags = {},
): Promise<void> {
  const { config, path } = await loadAgentConfig(configPath);
  const destination = logFile === undefined ? {} : { destination: openLogFile(logFile) };
  const log = createLogger({ name: 'sitewarden-agent', level: config.logLevel, ...destination });
  const stop = new AbortController();
  const onStarted = (agentId: string) => {
    if (readyJson) print(JSON.stringify({ ready: true, pid: process.pid, agentId }));
  };
  if (process.platform === 'win32') void stopRequested(config.dataDir, stop.signal).then(() => stop.abort());
  if (guarded)
    process.stdin
      .once('end', () => stop.abort())
      .once('error', () => stop.abort())
      .resume();
  const ended = runDaemon({ config, configPath: path, log, signal: stop.signal, onStarted });
  const grace = closeWithGrace({ delay: STOP_WITHIN_MS, logger: log }, async ({ err }) => {
    if (err) log.fatal({ err }, 'unexpected fault');
    stop.abort();
    await ended.catch(() => {});
  });
  try {
    const end = await ended;
    if (end === 'replaced' && !guarded) {
      const { dataDir, updates } = config;
      const args = process.argv.slice(2);
      await guardUpdate({ dataDir, lockFile: LOCK_FILE, args, connectWithinMs: updates.connectWithinMs, log });
    }
    if (end !== 'stopped') process.exitCode = end === 'removed' ? EXIT_REMOVED : EXIT_REPLACED;
  } finally {
    grace.uninstall();
  }
}
