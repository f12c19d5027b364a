import { createLogger } from '@sitewarden/kit/log';
import closeWithGrace from 'close-with-grace';
import { loadAgentConfig } from '../../config/index.ts';
import { openLogFile, runDaemon, stopRequested } from '../../run/index.ts';
import { EXIT_REMOVED, print } from './output.ts';

/** More than the parts may take together, less than the 10 s after which service managers lose patience. */
const STOP_WITHIN_MS = 9_000;

/** Until SIGINT, SIGTERM or `stop` (exit 0) or the removal of this agent (exit 4). */
export async function runCommand(
  configPath: string | undefined,
  { readyJson = false, logFile }: { readyJson?: boolean; logFile?: string } = {},
): Promise<void> {
  const { config } = await loadAgentConfig(configPath);
  const destination = logFile === undefined ? {} : { destination: openLogFile(logFile) };
  const log = createLogger({ name: 'sitewarden-agent', level: config.logLevel, ...destination });
  const stop = new AbortController();
  const onStarted = (agentId: string) => {
    if (readyJson) print(JSON.stringify({ ready: true, pid: process.pid, agentId }));
  };
  if (process.platform === 'win32') void stopRequested(config.dataDir, stop.signal).then(() => stop.abort());
  const ended = runDaemon({ config, log, signal: stop.signal, onStarted });
  const grace = closeWithGrace({ delay: STOP_WITHIN_MS, logger: log }, async ({ err }) => {
    if (err) log.fatal({ err }, 'unexpected fault');
    stop.abort();
    await ended.catch(() => {});
  });
  try {
    if ((await ended) === 'removed') process.exitCode = EXIT_REMOVED;
  } finally {
    grace.uninstall();
  }
}
